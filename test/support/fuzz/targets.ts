import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { parseManifests } from '../../../src/agent/pod/manifest/parse-manifests.ts';
import { redactObject, redactText } from '../../../src/agent/redaction/redaction.ts';
import {
  durationParameter,
  limitParameter,
  matchParameters,
  timeParameter,
} from '../../../src/collector/api/prometheus-parameters.ts';
import { parseExpr } from '../../../src/collector/promql/parse-expr.ts';
import { prettyExpr, printExpr } from '../../../src/collector/promql/print-expr.ts';
import { parseSeriesLine } from '../../../src/collector/promql/series-notation.ts';
import { formatRuleFile } from '../../../src/collector/rules/format-rule-file.ts';
import { parseRuleFile } from '../../../src/collector/rules/rule-file.ts';
import { expandTemplate } from '../../../src/collector/rules/template/template.ts';
import { TemplateSyntaxError } from '../../../src/collector/rules/template/token.ts';
import { TemplateError } from '../../../src/collector/rules/template/value.ts';
import { parseTestFile } from '../../../src/collector/rules/unit-test/test-file.ts';
import { parseOpenSlo } from '../../../src/collector/slo/open-slo.ts';
import { compileMatcher } from '../../../src/collector/storage/label-matcher.ts';
import { parseLabelSelector } from '../../../src/http/label-selector.ts';
import { decodeLabels, encodeLabels, type Label, toLabels } from '../../../src/model/labels.ts';
import type { Matcher } from '../../../src/model/matcher.ts';
import { DEFAULT_OTLP_LIMITS } from '../../../src/wire/otlp/limits.ts';
import { fromLog } from '../../../src/wire/otlp/log-record.ts';
import { readLogs } from '../../../src/wire/otlp/logs-reader.ts';
import { ingestMetrics } from '../../../src/wire/otlp/metrics-receiver.ts';
import { decodeWith } from '../../../src/wire/otlp/protobuf.ts';
import { createSeriesMemo } from '../../../src/wire/otlp/series-memo.ts';
import { snappyDecode, snappyEncode } from '../../../src/wire/prometheus/snappy.ts';
import type { Random } from '../random.ts';
import { randomVector } from '../random-promql.ts';
import { expressions, logRequests, manifests, metricRequests, openSlos, ruleFiles } from './examples.ts';
import { checkExposition, expositionInput } from './exposition-target.ts';
import { mutateBytes, mutateText } from './mutation.ts';
import type { Input, Target } from './target.ts';

interface TextTarget {
  readonly share: number;
  readonly input: (random: Random) => string;
  readonly check: (text: string) => unknown;
}

interface BytesTarget {
  readonly share: number;
  readonly input: (random: Random) => Uint8Array;
  readonly check: (bytes: Uint8Array) => unknown;
}

const ofText = (name: string, target: TextTarget): Target => ({
  name,
  ...target,
  check: (input: Input) => target.check(input as string),
});
const ofBytes = (name: string, target: BytesTarget): Target => ({
  name,
  ...target,
  check: (input: Input) => target.check(input as Uint8Array),
});

const mutated = (examples: readonly string[]) => (random: Random) => mutateText(random, examples);

/** What we wrote ourselves must be read: a refusal is a defect too. */
function readsBack<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error('what was printed cannot be read', { cause: error });
  }
}

function checkExpr(text: string): void {
  const options = { experimental: true };
  const printed = printExpr(parseExpr(text, options));
  // Prometheus prints infinity with a sign, which then binds less than the power.
  if (printed.includes('+Inf ^')) return;
  const again = readsBack(() => parseExpr(printed, options));
  strictEqual(printExpr(again), printed);
  strictEqual(printExpr(readsBack(() => parseExpr(prettyExpr(again), options))), printed);
}

function checkRuleFile(text: string): void {
  const groups = parseRuleFile(text, 'r.yaml');
  const formatted = formatRuleFile(text, 'r.yaml').text;
  const exprs = (of: typeof groups) =>
    of.flatMap(({ rules }) => rules.map(({ expr }) => printExpr(parseExpr(expr))));
  deepStrictEqual(exprs(readsBack(() => parseRuleFile(formatted, 'r.yaml'))), exprs(groups));
  strictEqual(formatRuleFile(formatted, 'r.yaml').text, formatted);
}

const TEMPLATES = [
  '{{ $labels.pod }} is {{ $value | humanize }} {{ printf "%.2f%% of %s" $value $labels.job }}',
  '{{ with query "up" }}{{ . | first | value | humanizeDuration }}{{ else }}none{{ end }}',
  '{{ range $i, $e := sortByLabel "pod" (query "up") }}{{ if gt $i 1 }}{{ break }}{{ end }}{{ $e.Labels.pod }},{{ end }}',
  '{{ define "x" }}{{ .arg0 }}{{ end }}{{ template "x" (args 1 2.5 "a") }} {{ slice "hello" 1 3 }} {{ index $labels "a" }}',
  `{{ reReplaceAll "(a+)(b*)" "$2\${1}" "aab" }} {{ toTime 1e9 }} {{ humanizeTimestamp $value }} {{ html "<a>" }} {{- /* c */ -}}`,
  '{{ stripPort "a:1" }} {{ title "x y" }} {{ and 1 (or 0 "a") (not true) }} {{ eq 1 1 }} {{ len "é" }} {{ range 3 }}x{{ end }}',
];
const SURROUNDINGS = {
  labels: toLabels({ pod: 'cart', job: 'shop' }),
  value: 12.5,
  externalLabels: toLabels({ cluster: 'lab' }),
  externalUrl: 'http://localhost/x',
};

async function checkTemplate(text: string): Promise<void> {
  const samples = [1, 2, 3].map((v) => ({ labels: toLabels({ pod: `p${v}` }), t: 0, v }));
  const query = async () => ({ value: { type: 'vector' as const, samples }, warnings: [], infos: [] });
  try {
    const out = await expandTemplate(text, SURROUNDINGS, query, 0);
    ok(out.length <= Math.max(text.length, 64 * 1024));
  } catch (error) {
    if (!(error instanceof TemplateError || error instanceof TemplateSyntaxError)) throw error;
  }
}

const UNIT_TESTS = [
  `rule_files: [r.yml]
evaluation_interval: 1m
group_eval_order: [a, b]
tests:
- interval: 30s
  name: one
  external_labels: { a: b }
  input_series:
  - { series: 'up{job="x"}', values: '0 1+2x3 _x2 stale' }
  alert_rule_test:
  - { eval_time: 5m, alertname: A, exp_alerts: [{ exp_labels: { a: b }, exp_annotations: { c: d } }] }
  promql_expr_test:
  - { expr: up, eval_time: 1m, exp_samples: [{ labels: 'up{job="x"}', value: 1e3 }] }
`,
];
const SERIES = [
  'up{job="x", "é.b"="y"} 0 1+2x3 _ _x2 stale 1e3 -5-1x4',
  '{"a b"} NaN Inf {{sum:1 count:2}}x3 5m',
];

function checkSeries(text: string): void {
  try {
    parseSeriesLine(text);
  } catch (error) {
    // Said in words; a defect is one of JavaScript's own kinds.
    if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) throw error;
  }
}

const REGEXES = [
  'api.*',
  '(?i)foo|bar',
  '5..',
  '[^a-z]+\\d{2,3}',
  '(a|b)*c?',
  '\\p{L}+',
  '(?:x{0,5}){3}',
  '.+\\.example\\.com',
  '^$',
];
const OPERATORS: readonly Matcher['op'][] = ['=', '!=', '=~', '!~'];

function checkMatcher(pattern: string): void {
  for (const op of OPERATORS) {
    const matcher = compileMatcher({ name: 'a', op, value: pattern });
    strictEqual(matcher.matches(''), matcher.matchesEmpty);
    for (const value of matcher.values ?? []) ok(matcher.matches(value));
    for (const value of [
      'api-1',
      'é\n',
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab',
      pattern.slice(0, 200),
    ])
      matcher.matches(value);
  }
}

const SELECTORS = ['app=cart,tier!=primary,team in (checkout, search),!canary', 'a,b notin (c)', 'x.y/z==1'];
const PARAMETERS = [
  'query=up&time=1767225600.5&timeout=5s&limit=10',
  'start=2026-01-01T00:00:00Z&end=1e9&step=1h30m&match[]=up{a="b"}&match[]={b=~".+"}',
];

function checkParameters(text: string): void {
  const form = new URLSearchParams(text);
  const time = timeParameter(form, 'time', 0);
  ok(Number.isSafeInteger(time), `time ${time}`);
  ok(Number.isSafeInteger(timeParameter(form, 'start', 0)));
  if (form.has('step')) ok(Number.isFinite(durationParameter(form, 'step')));
  ok(Number.isSafeInteger(limitParameter(form)));
  matchParameters(form);
}

const LOGS = [
  'level=error msg="login failed" password=hunter2 user=ann token: abc.def.ghi',
  '{"authorization":"Bearer eyJhbGciOi.J9.sig","n":1,"list":["sk_live_0123456789abcdef"]}',
  '-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAK\n-----END RSA PRIVATE KEY-----',
  'connect postgres://shop:s3cret@db:5432/shop?sslmode=off AKIAIOSFODNN7EXAMPLE at 10.0.0.1',
];

function checkRedaction(text: string): void {
  const once = redactText(text);
  strictEqual(redactText(once), once);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = { [text.slice(0, 20)]: text, list: [text] };
  }
  JSON.stringify(redactObject(value));
}

/** Labels by their bytes; the bytes of what is decoded decode to the same. */
function checkLabelBytes(bytes: Uint8Array): void {
  let labels: ReturnType<typeof decodeLabels>;
  try {
    labels = decodeLabels(bytes);
  } catch (error) {
    if (error instanceof RangeError && error.message.startsWith('label bytes')) return;
    throw error;
  }
  ok(labels.length <= bytes.length);
  deepStrictEqual(decodeLabels(encodeLabels(labels)), labels);
}

const LABELS: readonly Label[][] = [
  [
    ['__name__', 'up'],
    ['job', 'é∑'],
    ['pod', 'x'.repeat(200)],
  ],
  [['a', '']],
];

const LABEL_BYTES = LABELS.map((labels) => encodeLabels(labels));
const SNAPPY = metricRequests.map(snappyEncode);

function checkMetrics(bytes: Uint8Array): void {
  let references = 0;
  const sink = {
    reference: () => references++,
    isReferenced: () => true,
    append: () => {},
    appendStale: () => {},
  };
  const memo = createSeriesMemo(1);
  // Again with all that could be remembered.
  for (let i = 0; i < 2; i += 1) {
    const ingesting = ingestMetrics(bytes, { sink, memo, limits: DEFAULT_OTLP_LIMITS, nowMs: 0 });
    while (!ingesting.next().done);
  }
}

/** Every parser and decoder that reads what others write. The shares add up to 1000. */
export const TARGETS: readonly Target[] = [
  ofText('promql', {
    share: 100,
    input: (random) =>
      random.chance(0.3) ? mutateText(random, [randomVector(random, 3)]) : mutateText(random, expressions),
    check: checkExpr,
  }),
  ofText('rule-files', { share: 40, input: mutated(ruleFiles), check: checkRuleFile }),
  ofText('rule-tests', { share: 40, input: mutated(UNIT_TESTS), check: (text) => parseTestFile(text) }),
  ofText('series-notation', { share: 60, input: mutated(SERIES), check: checkSeries }),
  ofText('templates', { share: 80, input: mutated(TEMPLATES), check: checkTemplate }),
  ofText('manifests', {
    share: 40,
    input: mutated(manifests),
    check: (text) => parseManifests([{ path: 'm.yaml', text }]),
  }),
  ofText('openslo', { share: 40, input: mutated(openSlos), check: (text) => parseOpenSlo(text, 's.yaml') }),
  ofBytes('otlp-metrics', {
    share: 100,
    input: (random) => mutateBytes(random, metricRequests),
    check: checkMetrics,
  }),
  ofBytes('otlp-logs', {
    share: 80,
    input: (random) => mutateBytes(random, logRequests),
    check: (bytes) => decodeWith(bytes, (reader) => readLogs(reader, DEFAULT_OTLP_LIMITS)).map(fromLog),
  }),
  ofBytes('exposition', { share: 50, input: expositionInput, check: checkExposition }),
  ofText('label-matchers', { share: 50, input: mutated(REGEXES), check: checkMatcher }),
  ofText('label-selectors', {
    share: 60,
    input: mutated(SELECTORS),
    check: (text) => parseLabelSelector(text)({ app: 'cart', constructor: 'x' }),
  }),
  ofText('api-parameters', { share: 80, input: mutated(PARAMETERS), check: checkParameters }),
  ofBytes('label-bytes', {
    share: 80,
    input: (random) => mutateBytes(random, LABEL_BYTES),
    check: checkLabelBytes,
  }),
  ofText('redaction', { share: 50, input: mutated(LOGS), check: checkRedaction }),
  ofBytes('snappy', {
    share: 50,
    input: (random) => mutateBytes(random, SNAPPY),
    check: (bytes) => ok(snappyDecode(bytes, 1 << 20).length <= 1 << 20),
  }),
];
