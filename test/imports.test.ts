import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Who may import whom, as `src/README.md` draws it. A folder may import itself, what it names here, and nothing else;
 * a longer path wins over a shorter one.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  util: [],
  journal: ['model', 'util'],
  'wire/catalogue': ['model', 'util'],
  'wire/prometheus': ['model', 'util', 'wire/catalogue'],
  'wire/otlp': ['model', 'util', 'journal', 'wire/catalogue'],
  http: ['model', 'util'],
  'agent/host': ['model', 'util'],
  'agent/engines': ['model', 'util'],
  'agent/pod/runtime': ['model', 'util', 'agent/host', 'agent/engines'],
  'agent/pod/prober': ['model', 'util', 'agent/pod/runtime'],
  'agent/pod': ['model', 'util', 'journal', 'agent/host', 'agent/pod/runtime', 'agent/pod/prober'],
  'agent/sources': ['model', 'util', 'agent/host', 'agent/engines', 'agent/pod', 'agent/pod/runtime'],
  'agent/stats': ['model', 'util', 'agent/host', 'agent/pod', 'agent/pod/runtime'],
  'agent/redaction': ['model', 'util'],
  'agent/triage': ['model', 'util', 'agent/stats', 'agent/pod', 'agent/redaction'],
  'agent/events': [
    'model',
    'util',
    'journal',
    'agent/pod',
    'agent/pod/runtime',
    'agent/stats',
    'agent/triage',
    'agent/redaction',
  ],
  'agent/signals': ['model', 'util', 'wire/catalogue', 'agent/pod', 'agent/stats', 'agent/events'],
  'agent/traces': ['model', 'util', 'agent/pod'],
  'agent/doctor': ['model', 'util', 'agent/host', 'agent/pod/runtime'],
  'agent/api': [
    'model',
    'util',
    'http',
    'wire/prometheus',
    'wire/catalogue',
    'agent/pod',
    'agent/pod/runtime',
  ],
  'collector/storage': ['model', 'util'],
  'collector/tsdb': ['model', 'util', 'journal', 'collector/storage'],
  'collector/promql': ['model', 'util', 'collector/storage'],
  'collector/query-api': ['model', 'util'],
  'collector/remote-write': ['model', 'util', 'wire/prometheus', 'collector/storage'],
  'collector/scrape': ['model', 'util', 'wire/prometheus', 'collector/storage', 'collector/promql'],
  'collector/slo': ['model', 'util', 'collector/promql'],
  'collector/rules': ['model', 'util', 'collector/storage', 'collector/promql'],
  'collector/alerting': ['model', 'util', 'collector/storage'],
  'collector/incidents': ['model', 'util', 'collector/storage', 'collector/rules'],
  'collector/runbooks': ['model', 'util', 'wire/catalogue'],
  'collector/dashboards': ['model', 'util', 'wire/catalogue', 'collector/slo'],
  'collector/api': [
    'model',
    'util',
    'http',
    'wire',
    'collector/storage',
    'collector/promql',
    'collector/rules',
    'collector/scrape',
    'collector/incidents',
    'collector/runbooks',
    'collector/dashboards',
  ],
  console: ['model'],
};
/** Files directly in a half's folder compose it: they see their half and all that stands beside both. */
const COMPOSITIONS: Readonly<Record<string, readonly string[]>> = {
  agent: ['model', 'util', 'journal', 'wire', 'http', 'agent'],
  collector: ['model', 'util', 'journal', 'wire', 'http', 'collector'],
};
const ABOVE = ['app', 'config', 'cli'];

const src = resolve(import.meta.dirname, '../src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)].map((match) =>
    relative(src, resolve(join(src, dirname(file)), match[1]!)),
  );
}

const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
const folderOf = (file: string) =>
  Object.keys(MAY_IMPORT)
    .filter((folder) => within(file, folder))
    .sort((a, b) => b.length - a.length)[0];

describe('imports go one way', () => {
  for (const file of files) {
    if (ABOVE.some((folder) => within(file, folder))) continue;
    it(`${file} imports only what stands above it in the codemap`, () => {
      const own = folderOf(file);
      const allowed =
        COMPOSITIONS[dirname(file)] ?? (own === undefined ? undefined : [own, ...MAY_IMPORT[own]!]);
      expect(allowed, `${file} lies in no folder of the codemap`).toBeDefined();
      const wrong = importsOf(file).filter((target) => !allowed!.some((folder) => within(target, folder)));
      expect(wrong).toEqual([]);
    });
  }
});

describe('imports go in no circle', () => {
  const imports = new Map(
    files.map((file) => [file, importsOf(file).filter((target) => files.includes(target))]),
  );
  /** Those that are on the way from a file to itself. */
  const circleOf = (file: string): readonly string[] | undefined => {
    const cameFrom = new Map<string, string>();
    const waiting = [file];
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      for (const target of imports.get(one)!) {
        if (target === file) {
          const way = [one];
          for (let from = cameFrom.get(one); from !== undefined; from = cameFrom.get(from)) way.unshift(from);
          return [...way, file];
        }
        if (cameFrom.has(target)) continue;
        cameFrom.set(target, one);
        waiting.push(target);
      }
    }
    return undefined;
  };

  it('whatever file one begins with', () => {
    expect(files.map(circleOf).filter((circle) => circle !== undefined)).toEqual([]);
  });
});
