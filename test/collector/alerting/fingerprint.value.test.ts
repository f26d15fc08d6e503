import { expect, it } from 'vitest';
import { fingerprint } from '../../../src/collector/alerting/fingerprint.ts';
import { toLabels } from '../../../src/model/labels.ts';

it('of no labels is the empty FNV-1a, and each label changes it', () => {
  expect(fingerprint([])).toBe('cbf29ce484222325');
  const prints = [{ a: 'b' }, { a: 'c' }, { b: 'b' }, { ab: '' }, { a: 'b', c: 'd' }].map((labels) =>
    fingerprint(toLabels(labels)),
  );
  expect(new Set(prints).size).toBe(5);
});

it('does not depend on the order in which labels were given', () => {
  expect(fingerprint(toLabels({ b: '1', a: 'ä' }))).toBe(fingerprint(toLabels({ a: 'ä', b: '1' })));
});
