import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../../src/cli/main.ts';
import { findPart, fixtures, missing } from '../../../support/parts.ts';

interface Verdict {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

const promtool = (...args: string[]): Verdict => {
  const { status, stdout, stderr } = spawnSync(findPart('promtool')!, args, { encoding: 'utf8' });
  return { status: status!, out: stdout, err: stderr };
};

async function podvitals(...args: string[]): Promise<Verdict> {
  let out = '';
  let err = '';
  const status = await run(['rules', ...args], {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    env: {},
    isTty: false,
  });
  return { status, out, err };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-rules-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Both say the same to the letter. */
async function same(verb: 'check' | 'test', ...args: string[]): Promise<Verdict> {
  const theirs = promtool(verb, 'rules', ...args);
  expect(await podvitals(verb, ...args)).toEqual(theirs);
  return theirs;
}

// Which part of an error both name: the rest is worded by each in its own way.
const REASONS = [
  /parse error: unexpected end of input/,
  /many-to-many matching not allowed/,
  /exp: \S+ \S+\n\s+got: \S+ \S+/,
  /field "?(?:namespace|ownership|unexpected_field)"?/,
  /undefined variable "\$label"/,
  /duplicate rule\(s\) found/,
  /parse error/,
];

describe.skipIf(fixtures === undefined || missing('promtool'))('beside the real promtool', () => {
  const rules = join(fixtures ?? '', 'rules');
  const files =
    fixtures === undefined
      ? []
      : ['manager', 'promtool'].flatMap((inner) =>
          readdirSync(join(rules, inner)).map((file) => join(rules, inner, file)),
        );
  const isTest = (file: string) => /^(?:tests|rule_files):/m.test(readFileSync(file, 'utf8'));

  it.each(files.filter((file) => !isTest(file)))('check says the same of %s', async (file) => {
    const theirs = promtool('check', 'rules', file);
    const ours = await podvitals('check', file);
    expect({ status: ours.status, out: ours.out }).toEqual({ status: theirs.status, out: theirs.out });
    const reason = REASONS.find((one) => one.test(theirs.err));
    expect(theirs.err === '' ? ours.err === '' : reason?.test(ours.err)).toBe(true);
  });

  // Native histograms are refused, and said to be.
  it.each(files.filter((file) => isTest(file) && !file.endsWith('unittest.yml')))(
    'test says the same of %s',
    async (file) => {
      const theirs = promtool('test', 'rules', file);
      const ours = await podvitals('test', file);
      expect({ status: ours.status, out: ours.out }).toEqual({ status: theirs.status, out: theirs.out });
      const reason = REASONS.find((one) => one.test(theirs.err));
      expect(theirs.err === '' ? ours.err === '' : reason?.test(ours.err)).toBe(true);
    },
  );

  it('test says the same of what holds no native histograms in unittest.yml', async () => {
    const text = readFileSync(join(rules, 'promtool/unittest.yml'), 'utf8');
    const floats = text
      .replace(/ +- series: test_histogram\w*\n +values: .*\n/g, '')
      .replace(/ +- expr: test_histogram\w*\n(?: {8,}.*\n)+/g, '')
      .replace('- rules.yml', `- ${join(rules, 'promtool/rules.yml')}`);
    const path = write('floats.yml', floats);
    expect((await same('test', path)).status).toBe(0);
    const refused = await podvitals('test', join(rules, 'promtool/unittest.yml'));
    expect(refused.status).toBe(1);
    expect(refused.err).toContain('native histograms are not supported yet');
  });

  it.each(['failing.yml', 'rules_run_fuzzy.yml', 'rules_run_no_fuzzy.yml', 'rules_run.yml'])(
    'failures of %s are worded alike, to the letter',
    async (file) => {
      expect((await same('test', join(rules, 'promtool', file))).err).toContain('exp');
    },
  );

  it('a name chooses the tests to run', async () => {
    await same('test', '--run=^correct', join(rules, 'promtool/rules_run.yml'));
    await same('test', '--run=^wrong', join(rules, 'promtool/rules_run.yml'));
  });

  it('lint options end alike', async () => {
    const lint = join(rules, 'promtool/prometheus-rules.lint.yml');
    for (const args of [['--lint=none'], ['--lint=all'], ['--lint=all', '--lint-fatal']]) {
      await same('check', ...args, lint);
    }
    await same('check', '--ignore-unknown-fields', join(rules, 'promtool/rules_extrafields.yml'));
  });

  it.each(['apps_alerts', 'kube_scheduler', 'kubelet'])('the mixin’s %s-test.yaml passes', async (name) => {
    const path = join(fixtures!, `mixin/tests/${name}-test.yaml`);
    expect(await podvitals('test', path)).toEqual({ status: 0, out: '  SUCCESS\n\n', err: '' });
  });
});

describe.skipIf(missing('promtool'))('semantics, beside the real promtool', () => {
  it('passes the tests of the rules that ship', async () => {
    const path = resolve(import.meta.dirname, '../../../rules/slo-shop.yaml');
    expect(await podvitals('test', path)).toEqual({ status: 0, out: '  SUCCESS\n\n', err: '' });
  });

  it.each([
    [
      'values and times',
      'up',
      '1 2 _ _x2 stale 3+1x4 -1-2x2 NaN Inf -Inf 1e3 0x2 5',
      ['up', 'timestamp(up)', 'sum_over_time(up[5m])', 'changes(up[10m])', '(up @ 600)', 'up offset -3m'],
    ],
    [
      'labels',
      '{__name__="x",b="1",a="2"}',
      '1x10',
      ['x', 'sum by (b) (x)', 'vector(1)', '3', 'x[1m]', '"text"', 'nope', 'x +', 'count_over_time(x[3m:])'],
    ],
  ])('%s', async (_, series, values, exprs) => {
    const tests = exprs.flatMap((expr) =>
      ['0', '90s', '3m', '5m', '11m'].map((at) => `  - { expr: ${JSON.stringify(expr)}, eval_time: ${at} }`),
    );
    const text = `tests:\n- input_series: [{ series: ${JSON.stringify(series)}, values: ${JSON.stringify(values)} }]\n  promql_expr_test:\n${tests.join('\n')}\n`;
    expect((await same('test', write('values.yml', text))).err).toContain('got:');
  });

  it('groups run in the order asked for, with offset, for, keep_firing_for, limit, labels and empty annotations', async () => {
    write(
      'r.yml',
      `groups:
- name: second
  rules: [{ record: b, expr: a * 2 }]
- name: first
  labels: { team: shop }
  rules: [{ record: a, expr: up }]
- name: off
  query_offset: 1m
  rules: [{ record: late, expr: up < 3 }]
- name: alerts
  rules:
  - { alert: Waits, expr: up > 1, for: 2m, keep_firing_for: 3m, labels: { x: "{{ $value }}" }, annotations: { empty: "{{ $labels.nope }}", b: "" } }
  - { alert: Many, expr: up or vector(5) }
`,
    );
    const at = (times: string[], expr: string) =>
      times.map((time) => `  - { expr: ${JSON.stringify(expr)}, eval_time: ${time} }`).join('\n');
    const times = ['0', '2m', '4m', '5m', '8m', '10m'];
    const path = write(
      'order.yml',
      `rule_files: [r.yml]
group_eval_order: [first, second, off, alerts]
tests:
- name: order
  external_labels: { cluster: lab }
  input_series: [{ series: 'up{job="x"}', values: 0 1 2 3 4 0 0 0 0 0 0 0 }]
  alert_rule_test:
${['2m', '4m', '4m30s', '6m', '9m', '10m'].map((time) => `  - { alertname: Waits, eval_time: ${time} }\n  - { alertname: Many, eval_time: ${time}, exp_alerts: [{ exp_labels: { a: "", b: c } }] }`).join('\n')}
  promql_expr_test:
${['a', 'b', 'late', 'timestamp(late)', 'ALERTS_FOR_STATE', 'ALERTS', 'count_over_time(late[20m])', 'count_over_time(b[20m])'].map((expr) => at(times, expr)).join('\n')}
`,
    );
    expect((await same('test', path)).err).toContain('got:');
  });

  it('templates expand alike', async () => {
    const templates = readFileSync(join(import.meta.dirname, 'templates.txt'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    const rules = templates.map(
      (text, i) => `  - { alert: T${i}, expr: up, annotations: { text: ${JSON.stringify(text)} } }`,
    );
    write('t.yml', `groups:\n- name: t\n  rules:\n${rules.join('\n')}\n`);
    const tests = templates.map((_, i) => `  - { alertname: T${i}, eval_time: 1m }`);
    const path = write(
      'templates.yml',
      `rule_files: [t.yml]\ntests:\n- external_labels: { cluster: lab }\n  input_series:\n  - { series: 'up{instance="b.shop.example:80",job="x y"}', values: 0x5 }\n  - { series: 'other{job="a"}', values: 0.12345x5 }\n  - { series: 'other{job="b"}', values: 2e6x5 }\n  alert_rule_test:\n${tests.join('\n')}\n`,
    );
    // A template that fails is told in each one's own words.
    const results = ({ err }: Verdict) =>
      [...err.matchAll(/Annotations:\{(?:text=(".*"))?\}/g)].map(([, text]) =>
        text?.replace(/<error expanding template: .*>/, '<error>'),
      );
    const theirs = results(promtool('test', 'rules', path));
    expect(theirs).toHaveLength(templates.length);
    const ours = results(await podvitals('test', path));
    expect(templates.map((text, i) => [text, ours[i]])).toEqual(
      templates.map((text, i) => [text, theirs[i]]),
    );
  });
});
