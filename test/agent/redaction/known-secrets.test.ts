import { describe, expect, it } from 'vitest';
import { createKnownSecrets } from '../../../src/agent/redaction/known-secrets.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const secretOf = (data: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'shop' },
  data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, base64(value)])),
});
const knowing = (data: Readonly<Record<string, string>>) => {
  const known = createKnownSecrets();
  known.learn([secretOf(data)]);
  return known;
};

describe('a value of a Secret', () => {
  it('is taken out wherever it stands, as it is, as base64, as a URL writes it', () => {
    const known = knowing({ phrase: 'the word is swordfish' });
    const told = {
      log: [{ text: 'unlocking with the word is swordfish now' }],
      config: `phrase: ${base64('the word is swordfish')}`,
      target: `GET /unlock?phrase=${encodeURIComponent('the word is swordfish')}`,
      exitCode: 1,
    };
    expect(JSON.stringify(known.hide(told))).not.toMatch(/swordfish|c3dvcmRmaXNo/);
    expect(known.hide(told)).toMatchObject({
      log: [{ text: 'unlocking with [redacted] now' }],
      exitCode: 1,
    });
  });
  it('of several lines is taken out line by line', () => {
    const known = knowing({ deck: 'first line of the deck\nsecond line of the deck\nend' });
    expect(known.hide('read: second line of the deck')).toBe('read: [redacted]');
    expect(known.hide('the end')).toBe('the end');
  });
  it('stays readable where it is none: a user, a host, a word too short to tell from others', () => {
    const known = knowing({
      username: 'postgres-admin',
      host: 'db.shop.svc',
      flag: 'enabled',
      password: 'hunter2-x',
    });
    expect(known.hide('postgres-admin at db.shop.svc enabled hunter2-x')).toBe(
      'postgres-admin at db.shop.svc enabled [redacted]',
    );
  });
  it('is that of a Secret only, and there are limits', () => {
    const known = createKnownSecrets();
    known.learn([{ ...secretOf({ word: 'swordfish' }), kind: 'ConfigMap' }]);
    expect(known.hide('swordfish')).toBe('swordfish');
    for (let i = 0; i < 1000; i += 1) known.learn([secretOf({ word: `swordfish-${i}-` })]);
    expect(known.hide('swordfish-999- swordfish-0-')).toBe('[redacted] swordfish-0-');
    expect(knowing({ blob: 'x'.repeat(5000) }).hide('x'.repeat(5000))).toHaveLength(5000);
  });
});
