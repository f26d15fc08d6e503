import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runbookFiles } from '../../../scripts/generate/runbooks.ts';
import { parseExpr } from '../../../src/collector/promql/parse-expr.ts';
import { createRunbooks } from '../../../src/collector/runbooks/runbooks.ts';
import { readTemplates } from '../../../src/collector/runbooks/templates.ts';
import { CAUSES } from '../../../src/model/cause.ts';
import { catalogue } from '../../../src/wire/catalogue/catalogue.ts';
import { liveCart } from './live-cart.ts';

const root = resolve(import.meta.dirname, '../../..');
const runbooks = createRunbooks({ templates: readTemplates() });

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert?: string; readonly record?: string }[];
  }[];
}
const rules = readdirSync(join(root, 'rules'))
  .filter((file) => /\.ya?ml$/.test(file))
  .flatMap((file) => (parse(readFileSync(join(root, 'rules', file), 'utf8')) as RuleFile).groups ?? [])
  .flatMap((group) => group.rules);

/** Shell commands of a page, one a line. */
const commandsOf = (markdown: string) =>
  [...markdown.matchAll(/^(`{3,})sh\n([\s\S]*?)^\1$/gm)].flatMap(([, , text]) => text!.trim().split('\n'));

describe('the runbooks', () => {
  const modes = Array.from({ length: 16 }, (_, i) => `F${i + 1}`);

  it('are one for each alert of rules/ and each failure mode, the checklist, and none besides', () => {
    const alerts = new Set(rules.flatMap(({ alert }) => (alert === undefined ? [] : [alert])));
    expect([...runbooks.names].sort()).toEqual([...alerts, ...modes, 'IncidentChecklist'].sort());
  });

  it('have a section for every cause, and every cause that triage names is known', () => {
    const written = new Set(
      readdirSync(join(root, 'src/agent/triage'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .flatMap((file) => [
          ...readFileSync(join(root, 'src/agent/triage', file), 'utf8').matchAll(/\bcause: '(\w+)'/g),
        ])
        .map(([, cause]) => cause!),
    );
    expect(written.size).toBeGreaterThan(10);
    const known = ['None', 'Unknown', ...Object.keys(CAUSES)];
    for (const cause of written) expect(known).toContain(cause);
    for (const [name, { failureMode }] of Object.entries(CAUSES)) {
      expect(runbooks.page(failureMode)!.markdown).toContain(`\n### ${name}\n`);
      expect(runbooks.page(name)!.markdown).toContain(`# ${name}\n`);
      expect(readFileSync(join(root, 'runbooks/README.md'), 'utf8')).toContain(name);
    }
    for (const mode of modes) expect(Object.values(CAUSES).map((cause) => cause.failureMode)).toContain(mode);
  });

  it('in the repository are those the templates give', () => {
    const files = readdirSync(join(root, 'runbooks')).filter((file) => file.endsWith('.md'));
    expect(files.sort()).toEqual([...runbookFiles().keys()].sort());
    for (const [file, text] of runbookFiles()) {
      expect(readFileSync(join(root, 'runbooks', file), 'utf8'), file).toBe(text);
    }
  });

  it('have none for an alert that does not exist, nor for parts of pages', () => {
    for (const name of ['PodOnFire', '_now', 'now', '__proto__', 'constructor']) {
      expect(runbooks.page(name)).toBeUndefined();
    }
  });

  for (const name of runbooks.names) {
    it(`${name} says meaning, impact, diagnosis, mitigation and prevention, and leaves no template behind`, () => {
      const { title, markdown } = runbooks.page(name)!;
      expect(title).toBe(name);
      expect([...markdown.matchAll(/^## (\w+)/gm)].map(([, heading]) => heading)).toEqual(
        expect.arrayContaining(['Meaning', 'Impact', 'Diagnosis', 'Mitigation', 'Prevention']),
      );
      expect(markdown).not.toMatch(/\{\{|undefined|\[object/);
    });

    it(`${name} has commands a shell can read, and queries of series that exist`, () => {
      const known = new Set([
        ...catalogue.map((signal) => signal.name),
        ...rules.flatMap(({ record }) => record ?? []),
        'ALERTS',
        'prometheus_rule_group_iterations_missed_total',
      ]);
      for (const page of [runbooks.page(name)!, runbooks.page(name, liveCart())!]) {
        for (const command of commandsOf(page.markdown)) {
          execFileSync('sh', ['-n', '-c', command]);
          if (!command.startsWith('podvitals query ')) continue;
          const query = execFileSync('sh', [
            '-c',
            command.replace('podvitals query', "printf '%s'"),
          ]).toString();
          expect(() => parseExpr(query), query).not.toThrow();
          for (const [metric] of query.matchAll(
            /\b[a-z][\w]*:[\w:]+|\b(?:podvitals|kube|container|prometheus|prober)_\w+/g,
          )) {
            expect(known, query).toContain(metric);
          }
        }
      }
    });
  }
});

describe('a live page', () => {
  const page = runbooks.page('PodCrashLooping', liveCart())!;

  it('has the verdict, its evidence, the last lives, the end of the log and the alerts', () => {
    for (const text of [page.markdown, page.html]) {
      expect(text).toContain('MissingConfig');
      expect(text).toContain('PAYMENT_URL is not among them');
      expect(text).toContain('cart: starting');
      expect(text).toContain('PodCrashLooping is firing');
    }
    expect(page.markdown).toContain(
      '| 3 | cart | 2026-03-01T10:02:00Z | 1.0 s | 1 | Error | MissingConfig |',
    );
    expect(page.html).toContain('<td>MissingConfig</td>');
  });

  it('has the commands with the names filled in', () => {
    expect(commandsOf(page.markdown)).toContain('podvitals why shop/cart-5d9c-x7');
    expect(commandsOf(page.markdown)).toContain(
      'podvitals logs --previous --container=cart shop/cart-5d9c-x7',
    );
  });

  it('has the answers of its queries below them, whatever is in them', () => {
    const cart = liveCart();
    const asked = runbooks.queries('PodCrashLooping', cart);
    expect(asked.length).toBeGreaterThan(0);
    const answers = new Map(asked.map((expression) => [expression, ['3  {pod="```<script>"}']]));
    const answered = runbooks.page('PodCrashLooping', cart, answers)!;
    expect(answered.markdown).toContain('3  {pod="```<script>"}');
    expect(answered.html).not.toContain('<script>');
  });

  it('runs no query whose names are not known', () => {
    expect(runbooks.queries('F16', { subject: { namespace: 'shop' } })).toEqual([]);
  });

  it('knows of a subject nobody has heard of only its name', () => {
    const { markdown } = runbooks.page('PodNotReady', { subject: { namespace: 'shop', pod: 'gone-11' } })!;
    expect(markdown).toContain('## Now: shop/gone-11');
    expect(commandsOf(markdown)).toContain('podvitals why shop/gone-11');
  });
});
