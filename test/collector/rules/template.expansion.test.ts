import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { expandTemplate } from '../../../src/collector/rules/template/template.ts';
import { toLabels } from '../../../src/model/labels.ts';
import type { Query } from '../../../src/model/query-result.ts';
import { findPart, missing } from '../../support/parts.ts';

const labels = toLabels({
  __name__: 'value',
  pod: 'cart-1',
  namespace: 'shop & co',
  path: '/a b?c',
  instance: 'host.example:9100',
});
const query: Query = async (expr, t) => {
  const sample = (pod: string, v: number) => ({ labels: toLabels({ __name__: 'up', pod }), t, v });
  const samples = expr === 'sort(up)' ? [sample('a', 1), sample('b', 2.5)] : [];
  return { value: { type: 'vector', samples }, warnings: [], infos: [] };
};
const data = {
  labels,
  value: 1234567.5,
  externalLabels: toLabels({ region: 'eu' }),
  externalUrl: 'http://podvitals.example/x',
};
const expand = (text: string, value = data.value) => expandTemplate(text, { ...data, value }, query, 3000);

/** Templates and their texts; promtool is asked the same below, whose vectors have an order only when they are sorted. */
const CASES: readonly (readonly [template: string, text: string, value?: number])[] = [
  ['plain', 'plain'],
  ['{{ $labels.pod }} in {{ .Labels.namespace }}', 'cart-1 in shop & co'],
  ['{{ $labels.absent }}|', '|'],
  ['{{ $value }} {{ .Value }}', '1.2345675e+06 1.2345675e+06'],
  ['{{ $value }}', '100000', 100000],
  ['{{ $value }}', '1e+06', 1e6],
  ['{{ $value }}', '0.0001', 0.0001],
  ['{{ $value }}', '1e-05', 0.00001],
  ['{{ $value | humanize }}', '1.235M'],
  [
    '{{ humanize 0.0012 }} {{ humanize 999.0 }} {{ humanize "12345" }} {{ humanize 0.0 }}',
    '1.2m 999 12.35k 0',
  ],
  ['{{ $value | humanize1024 }} {{ humanize1024 1.0 }}', '1.177Mi 1'],
  ['{{ humanizePercentage 0.1234567 }}', '12.35%'],
  [
    '{{ humanizeDuration 90061.0 }} {{ humanizeDuration 3.14159 }} {{ humanizeDuration 0.0042 }} {{ humanizeDuration -75.0 }}',
    '1d 1h 1m 1s 3.142s 4.2ms -1m 15s',
  ],
  ['{{ humanizeTimestamp 1435065584.128 }}', '2015-06-23 13:19:44.128 +0000 UTC'],
  [
    '{{ printf "%.2f|%5.1f|%-6s|%06d|%x|%q|%t|%%|%v" $value 2.25 "ab" 42 255 "a\\"b" true 3 }}',
    '1234567.50|  2.2|ab    |000042|ff|"a\\"b"|true|%|3',
  ],
  [
    '{{ humanizeDuration 2.0625 }} {{ humanize 12345678.0 }} {{ printf "%.0f %.0f %.1e" 2.5 3.5 2.25 }}',
    '2.062s 12.35M 2 4 2.2e+00',
  ],
  ['{{ printf "%e %g %d" 1.5 1000000.0 1.5 }}', '1.500000e+00 1e+06 %!d(float64=1.5)'],
  ['{{ printf "%s %s" "one" }}', 'one %!s(MISSING)'],
  ['{{ printf "%s" "one" "two" }}', 'one%!(EXTRA string=two)'],
  ['{{ if gt $value 5.0 }}much{{ else }}little{{ end }}', 'much'],
  ['{{ if eq $labels.pod "x" }}x{{ else if eq $labels.pod "cart-1" }}cart{{ else }}none{{ end }}', 'cart'],
  ['{{ if and $labels.pod (not $labels.absent) }}yes{{ end }}', 'yes'],
  ['{{ with $labels.absent }}{{ . }}{{ else }}nothing{{ end }}', 'nothing'],
  ['{{ with $labels.pod }}<{{ . }}>{{ end }}', '<cart-1>'],
  ['a {{- " b " -}} c', 'a b c'],
  ['{{/* a comment */}}text', 'text'],
  ['{{ $x := "one" }}{{ if true }}{{ $x = "two" }}{{ end }}{{ $x }}', 'two'],
  ['{{ range $name, $text := $labels }}{{ $name }};{{ end }}', '__name__;instance;namespace;path;pod;'],
  ['{{ toUpper "ab" }}{{ toLower "AB" }}{{ title "two words" }}', 'ABabTwo Words'],
  ['{{ match "^ca.t" $labels.pod }} {{ match "t$" $labels.pod }}', 'true false'],
  ['{{ reReplaceAll "(c)a(r)" "$2-$1" $labels.pod }}', 'r-ct-1'],
  ['{{ $labels.path | urlquery }} {{ urlquery "ä~*\'" }}', '%2Fa+b%3Fc %C3%A4~%2A%27'],
  ['{{ stripPort $labels.instance }} {{ stripDomain $labels.instance }}', 'host.example host:9100'],
  ['{{ len $labels.pod }} {{ index $labels "pod" }} {{ print 1 2 "a" }}', '6 cart-1 1 2a'],
  ['{{ "a<b>\'" | html }}', 'a&lt;b&gt;&#39;'],
  ['{{ parseDuration "1h30m" }}', '5400'],
  ['{{ graphLink "up == 0" }}', '/graph?g0.expr=up+%3D%3D+0&g0.tab=0'],
  ['{{ (printf "%s!" "x") | toUpper }}', 'X!'],
  ['{{ $externalLabels.region }} {{ $externalURL }}', 'eu http://podvitals.example/x'],
  ['{{ define "part" }}[{{ . }}]{{ end }}{{ template "part" "x" }}', '[x]'],
  [
    '{{ range $i, $s := query "sort(up)" }}{{ if $i }}, {{ end }}{{ .Labels.pod }}={{ .Value }}{{ end }}',
    'a=1, b=2.5',
  ],
  [
    '{{ query "sort(up)" | first | value }} {{ with query "sort(up)" }}{{ . | first | label "pod" }}{{ end }}',
    '1 a',
  ],
  ['{{ range query "absent_metric" }}x{{ else }}none{{ end }}', 'none'],
];

describe('a template', () => {
  for (const [template, text, value] of CASES) {
    it(`${template} gives ${text}`, async () => {
      expect(await expand(template, value)).toBe(text);
    });
  }

  it.each([
    ['{{ $label.pod }}', 'undefined variable "$label"'],
    ['{{ nosuch 1 }}', 'function "nosuch" not defined'],
    ['{{ if true }}x', 'unexpected EOF: an {{end}} is missing'],
    ['{{ end }}', 'unexpected {{end}}'],
    ['{{ "a', 'unexpected """ in an action'],
    ['{{ }}', 'missing value for command'],
    ['{{ 1 | 2 }}', 'non executable command in pipeline stage 2'],
    ['{{ first (query "absent_metric") }}', 'error calling first: first() called on vector with no elements'],
    ['{{ humanize "many" }}', 'error calling humanize: strconv.ParseFloat: parsing "many": invalid syntax'],
    ['{{ $value.x }}', "can't evaluate field x in type float64"],
    ['{{ lt 1 2.0 }}', 'error calling lt: incompatible types for comparison'],
  ])('%s is refused: %s', async (template, message) => {
    await expect(expand(template)).rejects.toThrow(message);
  });

  it('cannot loop or grow without bound', async () => {
    await expect(expand('{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}')).rejects.toThrow(
      'template depth',
    );
    await expect(
      expand('{{ printf "%99999999s" "x" }}{{ range 100000 }}xxxxxxxxxx{{ end }}'),
    ).rejects.toThrow(/longer|steps/);
    await expect(expand(`${'{{ if true }}'.repeat(100)}${'{{ end }}'.repeat(100)}`)).rejects.toThrow(
      'nested more than',
    );
  });

  it('knows labels that are named like parts of JavaScript', async () => {
    expect(await expand('{{ $labels.constructor }}{{ $labels.__proto__ }}|')).toBe('|');
  });
});

describe.skipIf(missing('promtool'))('promtool gives the same texts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-template-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('for all of them', () => {
    const rule = (template: string, index: number) => ({
      alert: `Case${index}`,
      expr: 'value',
      annotations: { text: template },
    });
    const rules = { groups: [{ name: 'g', rules: CASES.map(([template], index) => rule(template, index)) }] };
    const tests = {
      rule_files: ['rules.yaml'],
      tests: CASES.map(([, text, value], index) => {
        const own = Object.fromEntries(labels.filter(([name]) => name !== '__name__'));
        const selector = Object.entries(own).map(([name, of]) => `${name}=${JSON.stringify(of)}`);
        return {
          interval: '1m',
          external_url: data.externalUrl,
          external_labels: { region: 'eu' },
          input_series: [
            { series: `value{${selector.join(',')}}`, values: String(value ?? data.value) },
            { series: 'up{pod="a"}', values: '1' },
            { series: 'up{pod="b"}', values: '2.5' },
          ],
          alert_rule_test: [
            {
              eval_time: '0s',
              alertname: `Case${index}`,
              exp_alerts: [{ exp_labels: own, exp_annotations: { text } }],
            },
          ],
        };
      }),
    };
    // JSON is YAML.
    writeFileSync(join(folder, 'rules.yaml'), JSON.stringify(rules));
    writeFileSync(join(folder, 'tests.yaml'), JSON.stringify(tests));
    const run = () =>
      execFileSync(findPart('promtool')!, ['test', 'rules', join(folder, 'tests.yaml')], {
        encoding: 'utf8',
      });
    expect(run()).toContain('SUCCESS');
  });
});
