import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { catalogue } from '../../../src/wire/catalogue/catalogue.ts';
import type { Point } from '../../../src/wire/catalogue/signal.ts';
import { encodeRecords } from '../../../src/wire/otlp/logs-writer.ts';
import { encodePoints } from '../../../src/wire/otlp/points-writer.ts';
import { podRecord } from '../shop-records.ts';

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const filesOf = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => read(join(folder, file)));

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
}

/** The rules that ship, one a file: a mutation should not be lost in what is well. */
export const ruleFiles: readonly string[] = filesOf('rules').flatMap((text) =>
  (parse(text) as RuleFile).groups.flatMap((group) =>
    group.rules.map((rule) => stringify({ groups: [{ ...group, rules: [rule] }] })),
  ),
);
export const expressions: readonly string[] = filesOf('rules').flatMap((text) =>
  (parse(text) as RuleFile).groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
);
export const manifests: readonly string[] = filesOf('test/faults')
  .concat(read('examples/shop.yaml').split(/^---$/m))
  .filter((text) => text.length < 2500);
export const openSlos: readonly string[] = read('slos/shop.yaml').split(/^---$/m);

const FACTS = { node: 'node-11', instance: 'node-11:7639', version: '1.2.3' };
const AT = Date.UTC(2026, 0, 1);

export const metricRequests: readonly Uint8Array[] = catalogue.map((signal): Uint8Array => {
  const labels = signal.labels.map(({ name }) => `${name}-é`);
  const point: Point =
    signal.type === 'histogram'
      ? { signal, labels, buckets: [...signal.bounds!.map(() => 2), 3], sum: 1.5, count: 9, startMs: AT - 1 }
      : { signal, labels, value: 0.5 };
  return encodePoints([point], AT, FACTS);
});
export const logRequests: readonly Uint8Array[] = ['cart', 'search'].map((name) =>
  encodeRecords(
    [
      podRecord({
        name,
        workload: name,
        createdAt: AT,
        state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
      }),
    ],
    FACTS,
  ),
);
