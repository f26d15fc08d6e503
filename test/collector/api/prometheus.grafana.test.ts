import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ApiCall,
  type BesidePrometheus,
  sorted,
  startBesidePrometheus,
} from '../../support/beside-prometheus.ts';
import { missing } from '../../support/parts.ts';
import { createRandom } from '../../support/random.ts';
import { randomSeries } from '../../support/random-promql.ts';

/** Seconds; an hour ago, so that a store with any retention keeps it. */
const START = Math.floor(Date.now() / 15_000) * 15 - 3600;
const END = START + 3000;

interface Call extends ApiCall {
  /** What of Grafana makes it. */
  readonly by: string;
  /** Whether bodies are the same, have the same shape, or are maps of the same kind of values. */
  readonly same: 'values' | 'shape' | 'map' | 'text';
}

const range: NonNullable<Call['parameters']> = [
  ['start', START],
  ['end', END],
];

/**
 * What Grafana's Prometheus data source sends (12.x, "HTTP method" POST and GET), as its proxy passes it on.
 * Source: pkg/promlib and packages/grafana-prometheus of grafana/grafana.
 */
const CALLS: readonly Call[] = [
  // Save and test: its backend asks 1+1, older ones by GET with the plus escaped; then who answers.
  {
    by: 'save and test',
    method: 'POST',
    path: 'query',
    parameters: [
      ['query', '1+1'],
      ['time', START],
    ],
    same: 'values',
  },
  { by: 'save and test', method: 'GET', path: 'query?query=1%2B1&time=4', same: 'values' },
  { by: 'save and test', method: 'GET', path: 'query?query=1%2B1', same: 'shape' },
  { by: 'save and test', method: 'GET', path: 'status/buildinfo', same: 'shape' },
  { by: 'save and test', method: 'GET', path: '/-/healthy', same: 'text' },
  { by: 'save and test', method: 'GET', path: '/-/ready', same: 'text' },
  { by: 'alert list', method: 'GET', path: 'rules', same: 'shape' },
  { by: 'alert list', method: 'GET', path: 'rules?type=alert', same: 'shape' },
  { by: 'alert list', method: 'GET', path: 'alerts', same: 'shape' },
  { by: 'alert list', method: 'GET', path: 'alertmanagers', same: 'values' },
  // Explore and panels.
  {
    by: 'a panel',
    method: 'POST',
    path: 'query_range',
    parameters: [
      ['query', 'sum by(job) (rate(requests_total{job=~"api|db"}[1m0s]))'],
      ...range,
      ['step', 15],
    ],
    same: 'values',
  },
  {
    by: 'a panel',
    method: 'GET',
    path: 'query_range',
    parameters: [
      ['query', 'max by(zone) (max_over_time(temperature[5m]))'],
      ['start', `${START}.5`],
      ['end', `${END}.5`],
      ['step', '30.5'],
    ],
    same: 'values',
  },
  {
    by: 'a table',
    method: 'POST',
    path: 'query',
    parameters: [
      ['query', 'requests_total'],
      ['time', `${START + 600}.123`],
      ['timeout', '60s'],
    ],
    same: 'values',
  },
  {
    by: 'a mistake',
    method: 'POST',
    path: 'query_range',
    parameters: [['query', 'sum(rate(requests_total['], ...range, ['step', 15]],
    same: 'values',
  },
  {
    by: 'a mistake',
    method: 'POST',
    path: 'query',
    parameters: [
      ['query', 'requests_total * on() requests_total'],
      ['time', START + 600],
    ],
    same: 'shape',
  },
  {
    by: 'too fine a step',
    method: 'POST',
    path: 'query_range',
    parameters: [
      ['query', '1'],
      ['start', 0],
      ['end', END],
      ['step', 1],
    ],
    same: 'values',
  },
  {
    by: 'exemplars',
    method: 'POST',
    path: 'query_exemplars',
    parameters: [['query', 'rate(latency_seconds_bucket[1m])'], ...range],
    same: 'values',
  },
  { by: 'exemplars', method: 'GET', path: 'query_exemplars?query=test&start=1&end=2', same: 'values' },
  { by: 'exemplars', method: 'GET', path: 'query_exemplars?query=(&start=1&end=2', same: 'values' },
  { by: 'exemplars', method: 'GET', path: 'query_exemplars?query=test&start=2&end=1', same: 'values' },
  {
    by: 'the metric browser',
    method: 'GET',
    path: 'label/__name__/values',
    parameters: [...range, ['limit', 40_000]],
    same: 'shape',
  },
  {
    by: 'the metric browser',
    method: 'GET',
    path: 'label/__name__/values',
    parameters: [...range, ['match[]', '{__name__=~".*total.*",job!="podvitals"}']],
    same: 'values',
  },
  { by: 'the metric browser', method: 'GET', path: 'metadata', same: 'map' },
  { by: 'the metric browser', method: 'GET', path: 'metadata?metric=no_such_metric', same: 'values' },
  { by: 'the metric browser', method: 'GET', path: 'metadata?limit=1&limit_per_metric=1', same: 'map' },
  { by: 'the query builder', method: 'GET', path: 'labels', parameters: range, same: 'shape' },
  {
    by: 'the query builder',
    method: 'POST',
    path: 'labels',
    parameters: [...range, ['match[]', 'requests_total{job="api"}']],
    same: 'values',
  },
  {
    by: 'the query builder',
    method: 'POST',
    path: 'series',
    parameters: [...range, ['match[]', '{__name__="temperature",job!="db"}']],
    same: 'values',
  },
  {
    by: 'the query builder',
    method: 'POST',
    path: 'parse_query',
    parameters: [['query', 'sum by(job) (rate(requests_total[5m]))']],
    same: 'values',
  },
  {
    by: 'the code editor',
    method: 'POST',
    path: 'format_query',
    parameters: [['query', 'sum(rate(requests_total[5m]))by(job)']],
    same: 'values',
  },
  // Variables.
  {
    by: 'label_values(job)',
    method: 'GET',
    path: 'label/job/values',
    parameters: [['match[]', '{job!="podvitals"}'], ...range],
    same: 'values',
  },
  {
    by: 'label_values(temperature{job="api"}, zone)',
    method: 'GET',
    path: 'label/zone/values',
    parameters: [['match[]', 'temperature{job="api"}'], ...range],
    same: 'values',
  },
  {
    by: 'label_values of a UTF-8 name',
    method: 'GET',
    path: 'label/U__k8s_2e_pod/values',
    parameters: range,
    same: 'values',
  },
  {
    by: 'label_names(requests_total)',
    method: 'GET',
    path: 'labels',
    parameters: [['match[]', 'requests_total'], ...range],
    same: 'values',
  },
  {
    by: 'query_result(topk(2, …))',
    method: 'POST',
    path: 'query',
    parameters: [
      ['query', 'topk(2, sum by (instance) (requests_total))'],
      ['time', START + 900],
    ],
    same: 'values',
  },
  {
    by: 'a variable that matches nothing',
    method: 'GET',
    path: 'series',
    parameters: [['match[]', 'nothing{job="x"}'], ...range],
    same: 'values',
  },
  // Where GET is all there is, it tries POST first and goes by the 405.
  { by: 'method POST', method: 'POST', path: 'label/job/values', parameters: range, same: 'text' },
  { by: 'method POST', method: 'POST', path: 'metadata', same: 'text' },
  { by: 'method POST', method: 'POST', path: 'rules', same: 'text' },
  // Pages of Grafana's and others' tools on the server itself.
  { by: 'status', method: 'GET', path: 'status/config', same: 'shape' },
  { by: 'status', method: 'GET', path: 'status/flags', same: 'map' },
  { by: 'status', method: 'GET', path: 'status/runtimeinfo', same: 'shape' },
  { by: 'status', method: 'GET', path: 'status/tsdb', same: 'shape' },
  { by: 'status', method: 'GET', path: 'status/tsdb?limit=0', same: 'values' },
  { by: 'status', method: 'GET', path: 'status/walreplay', same: 'shape' },
  { by: 'status', method: 'GET', path: 'notifications', same: 'values' },
  { by: 'status', method: 'GET', path: '/version', same: 'shape' },
];

const RULES = `groups:
  - name: kept
    interval: 1s
    rules:
      - {record: 'nothing:recorded', expr: 'requests_total{job="none"}'}
      - {alert: Never, expr: 'vector(0) > 1', for: 1m, labels: {severity: page}, annotations: {summary: never}}
`;

describe.skipIf(missing('prometheus', 'promtool'))(
  'what Grafana sends is answered as Prometheus answers it',
  () => {
    let both: BesidePrometheus | undefined;

    beforeAll(async () => {
      both = await startBesidePrometheus(randomSeries(createRandom(11), START * 1000, 200), RULES);
    });
    afterAll(async () => both?.stop());

    for (const call of CALLS) {
      it(`${call.by}: ${nameOf(call)}`, async () => {
        const { ours, theirs } = await both!.ask(call);
        expect([ours.status, ours.type]).toEqual([theirs.status, theirs.type]);
        if (call.same === 'text') return;
        const [our, their] = [JSON.parse(ours.body), JSON.parse(theirs.body)] as const;
        if (call.same === 'values') expect(sorted(our)).toEqual(sorted(their));
        if (call.same === 'shape') expect(withoutMore(shapeOf(our), shapeOf(their))).toEqual(shapeOf(their));
        if (call.same === 'map') expectSameKind(our.data, their.data);
      });
    }
  },
);

/** Without the times, which are others each day. */
const nameOf = ({ method, path, parameters = [] }: Call) =>
  [
    method,
    path,
    ...parameters.filter(([name]) => !/^(?:start|end|time)$/.test(name)).map((pair) => pair.join('=')),
  ].join(' ');

type Shape = string | readonly [] | readonly [Shape] | { readonly [key: string]: Shape };

/** Types instead of values; a list is what its first is. */
function shapeOf(value: unknown): Shape {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shapeOf(one)]));
}

/** A shape without what it has more than the wanted one: we may tell more, never less. */
function withoutMore(shape: Shape, wanted: Shape): Shape {
  if (Array.isArray(shape) && Array.isArray(wanted)) {
    if (wanted.length === 0 || shape.length === 0) return wanted.length === 0 ? [] : shape;
    return [withoutMore(shape[0], wanted[0])];
  }
  if (
    typeof shape !== 'object' ||
    typeof wanted !== 'object' ||
    Array.isArray(shape) ||
    Array.isArray(wanted)
  )
    return shape;
  const keys = Object.keys(wanted).filter((key) => key in shape);
  return Object.fromEntries(
    keys.map((key) => [
      key,
      withoutMore((shape as Record<string, Shape>)[key]!, (wanted as Record<string, Shape>)[key]!),
    ]),
  );
}

function expectSameKind(
  ours: Readonly<Record<string, unknown>>,
  theirs: Readonly<Record<string, unknown>>,
): void {
  const kinds = (map: Readonly<Record<string, unknown>>) => [
    ...new Set(Object.values(map).map((one) => (Array.isArray(one) ? 'array' : typeof one))),
  ];
  expect(Object.keys(ours).length).toBeGreaterThan(0);
  for (const kind of kinds(theirs)) expect(kinds(ours)).toEqual([kind]);
}
