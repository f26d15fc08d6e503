import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConfigFlags, loadConfig } from '../../src/config/config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-server-url-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const collector = (section: unknown, flags: ConfigFlags = {}) => {
  const config = join(folder, 'podvitals.yaml');
  writeFileSync(config, JSON.stringify({ collector: section }));
  return loadConfig({ ...flags, config }, {}).collector;
};

describe('servers that are asked and written to', () => {
  it('are none when nobody names them', () => {
    expect(collector({})).toMatchObject({ remoteWrite: [] });
    expect(collector({}).query).toBeUndefined();
  });

  it('are named as in Prometheus, with bounds for what may wait', () => {
    const { remoteWrite } = collector({
      remote_write: [
        {
          url: 'http://mimir:9009/api/v1/push',
          headers: { 'X-Scope-OrgID': 'shop' },
          authorization: { credentials: 'secret' },
          remote_timeout: '5s',
          queue: { size: '64MiB', age: '2h' },
        },
        { name: 'vm', url: 'http://vm:8428/api/v1/write', basic_auth: { username: 'a', password: 'b' } },
      ],
    });
    expect(remoteWrite).toEqual([
      {
        name: 'http://mimir:9009/api/v1/push',
        url: 'http://mimir:9009/api/v1/push',
        headers: { 'X-Scope-OrgID': 'shop', authorization: 'Bearer secret' },
        timeoutMs: 5_000,
        maxBytes: 64 * 2 ** 20,
        maxAgeMs: 7_200_000,
      },
      {
        name: 'vm',
        url: 'http://vm:8428/api/v1/write',
        headers: { authorization: 'Basic YTpi' },
        timeoutMs: 30_000,
        maxBytes: 256 * 2 ** 20,
        maxAgeMs: 86_400_000,
      },
    ]);
  });

  it('keep user, password and query out of what is shown', () => {
    const { query, remoteWrite } = collector(
      { query: { url: 'http://other:1' } },
      {
        queryUrl: 'http://me:p%40ss@prometheus:9090/base',
        remoteWriteUrl: ['http://me:p%40ss@prometheus:9090/api/v1/write?key=secret'],
      },
    );
    const authorization = 'Basic bWU6cEBzcw==';
    expect(query).toEqual({ url: 'http://prometheus:9090/base', headers: { authorization } });
    expect(remoteWrite[0]).toMatchObject({
      name: 'http://prometheus:9090/api/v1/write',
      url: 'http://prometheus:9090/api/v1/write?key=secret',
      headers: { authorization },
    });
  });

  it.each([
    [
      'a URL that is none',
      { queryUrl: 'prometheus:9090' },
      {},
      /^--query-url: write it as http:\/\/host:port/,
    ],
    ['another scheme', { remoteWriteUrl: ['ftp://a/b'] }, {}, /^--remote-write-url: write it as http:/],
    [
      'two of one name',
      {},
      { remote_write: [{ url: 'http://a/?t=1' }, { url: 'http://a/?t=2' }] },
      /two entries are called http:\/\/a\/; give each a name/,
    ],
  ] as const)('refuse %s', (_what, flags: ConfigFlags, section, message) => {
    expect(() => collector(section, flags)).toThrow(message);
  });
});
