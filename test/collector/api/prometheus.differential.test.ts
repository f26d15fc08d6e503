import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BesidePrometheus, sorted, startBesidePrometheus } from '../../support/beside-prometheus.ts';
import { eventually } from '../../support/eventually.ts';
import { missing } from '../../support/parts.ts';
import { createRandom } from '../../support/random.ts';
import { randomSeries } from '../../support/random-promql.ts';

/** Seconds; an hour ago, so that a store with any retention keeps it. */
const START = Math.floor(Date.now() / 15_000) * 15 - 3600;
const END = START + 3000;
const RANGE = `start=${START}&end=${END}`;

const RULES = `groups:
  - name: kept
    interval: 1s
    rules:
      - {record: 'nothing:recorded', expr: 'requests_total{job="none"}'}
      - {alert: Never, expr: 'vector(0) > 1', for: 1m, labels: {severity: page}, annotations: {summary: never}}
  - name: other
    interval: 1s
    limit: 3
    rules:
      - {alert: Always, expr: 'vector(1)', labels: {severity: ticket}, annotations: {summary: 'is {{ $value }}'}}
      - {alert: Waiting, expr: 'vector(1)', for: 1h, keep_firing_for: 5m}
  - name: empty
    rules: []
`;

// Left out, because Prometheus' answer is an accident of Go: times that are no numbers, or out of range, and a timeout of 0.
const ASKED: Readonly<Record<string, readonly string[]>> = {
  query: [
    '',
    'query=',
    ...['abc', '2023-01-01', '2023-01-01T00:00:00Z', '1e9', '-5', '0x10', '1_000'].map(
      (time) => `query=1&time=${time}`,
    ),
    ...['abc', '-1s', '1m', '5'].map((timeout) => `query=1&time=4&timeout=${timeout}`),
    ...['abc', '-1', '0', '1', '1.5', '99999999999999999999'].map((limit) => `query=1&time=4&limit=${limit}`),
    ...['abc', '-1m', '0', '1m'].map((lookback) => `query=1&time=4&lookback_delta=${lookback}`),
    `query=requests_total&time=${START + 10}&lookback_delta=1s`,
    `query=timestamp(requests_total)&time=${START + 1500}&lookback_delta=1h`,
    `query=requests_total&time=${START + 600}&limit=2`,
    `query=requests_total[1m]&time=${START + 600}&limit=2`,
    `query=rate(requests_total[1m])&time=${START + 600}&stats=all`,
    'query="a"&time=4&limit=1',
    ...['sum(', 'a{b', 'foo + on(', '\xff', 'a\0b', 'a{b="\x7f"', '1 + "a"', 'rate(a)'].map(
      (text) => `query=${encodeURIComponent(text)}`,
    ),
  ],
  query_range: [
    '',
    'query=1',
    `query=1&start=${START}`,
    `query=1&${RANGE}`,
    `query=1&start=${END}&end=${START}&step=15`,
    ...['0', '-1', 'abc', '1m30s', '0.1', '0.0001', '1e300'].map((step) => `query=1&${RANGE}&step=${step}`),
    'query=1&start=x&end=1&step=1',
    'query=1&start=0&end=x&step=1',
    ...['', 'requests_total[5m]', '"s"', 'sum('].map((text) => `query=${text}&${RANGE}&step=60`),
    ...['limit=2', 'limit=x', 'timeout=x', 'lookback_delta=x', 'lookback_delta=20m', 'stats=all'].map(
      (more) => `query=requests_total&${RANGE}&step=600&${more}`,
    ),
  ],
  series: [
    '',
    ...['', '{}', 'a{', '{a=~".*"}', 'rate(x[5m])', '1+1', 'sum', '(a)', 'a offset 5m', 'a[5m]', 'a b'].map(
      (match) => `match[]=${encodeURIComponent(match)}`,
    ),
    'match[]=requests_total&start=x',
    'match[]=requests_total&end=x',
    `match[]=requests_total&${RANGE}&limit=2`,
    `match[]=requests_total&${RANGE}&limit=x`,
    `match[]=requests_total&start=${END}&end=${START}`,
    `match[]=requests_total&match[]=errors_total&${RANGE}`,
  ],
  labels: [
    'match[]={}',
    'match[]=1%2B1',
    'start=x',
    'limit=-1',
    `match[]=requests_total&${RANGE}&limit=2`,
    `start=${END}&end=${START}`,
  ],
  'label/job/values': ['match[]={}', 'start=x', 'limit=x', `limit=1&${RANGE}`, `start=${END}&end=${START}`],
  'label/a-b/values': [''],
  'label/U__/values': [''],
  'label/U__a_2d_b/values': [''],
  'label/U___5f__5f_name__/values': [RANGE],
  'label/U__job/values': [RANGE],
  'label/nope/values': [''],
  metadata: ['limit=x', 'limit_per_metric=x', 'metric=nope'],
  targets: ['', 'state=active', 'state=dropped', 'state=bogus', 'scrapePool=x'],
  'targets/metadata': ['', 'limit=x', 'match_target=%7B', 'match_target={job="a"}'],
  scrape_pools: [''],
  alerts: [''],
  alertmanagers: [''],
  rules: [
    '',
    ...['alert', 'record', 'bogus', 'ALERT'].map((type) => `type=${type}`),
    'rule_name[]=Never',
    'rule_name[]=Never&rule_name[]=Always',
    'rule_group[]=kept',
    'rule_group[]=empty',
    'file[]=x',
    ...['true', '0', 'bogus'].map((exclude) => `exclude_alerts=${exclude}`),
    'match[]={severity="page"}',
    'match[]={severity="ticket"}&match[]={severity="page"}',
    'match[]={severity=""}',
    'match[]={',
    ...['1', '5', '0', '-1', 'x'].map((limit) => `group_limit=${limit}`),
    'group_limit=1&group_next_token=bogus',
    'group_next_token=abc',
  ],
  'status/tsdb': ['limit=x', 'limit=0', 'limit=-1'],
  query_exemplars: [
    '',
    'query=x&start=1',
    'query=x&start=1&end=x',
    'query=&start=1&end=2',
    'query=x&start=2&end=1',
  ],
  format_query: ['', 'query=', 'query=a%2Bb', 'query=('],
  parse_query: ['', 'query=a%2Bb', 'query=('],
  // What podvitals has not, as Prometheus where it is switched off.
  notifications: [''],
  'admin/tsdb/snapshot': [''],
  'admin/tsdb/delete_series': [''],
  'admin/tsdb/clean_tombstones': [''],
  '/-/reload': [''],
  '/-/quit': [''],
  '/federate': ['', 'match[]={', 'match[]=nothing'],
};
const POSTED = [
  'query',
  'query_range',
  'series',
  'labels',
  'query_exemplars',
  'format_query',
  'parse_query',
  'notifications',
  'admin/tsdb/snapshot',
  'admin/tsdb/delete_series',
  'admin/tsdb/clean_tombstones',
  '/-/reload',
  '/-/quit',
];

describe.skipIf(missing('prometheus', 'promtool'))(
  'good and bad requests have the answer of Prometheus',
  () => {
    let both: BesidePrometheus | undefined;

    beforeAll(async () => {
      both = await startBesidePrometheus(randomSeries(createRandom(11), START * 1000, 200), RULES);
    });
    afterAll(async () => both?.stop());

    const compare = async (call: Parameters<BesidePrometheus['ask']>[0]) => {
      const { ours, theirs } = await both!.ask(call);
      const comparable = ({ status, type, body }: typeof ours) => ({ status, type, body: settled(body) });
      expect(comparable(ours), JSON.stringify(call)).toEqual(comparable(theirs));
    };

    for (const [path, queries] of Object.entries(ASKED)) {
      it(`GET ${path}`, async () => {
        for (const query of queries)
          await compare({ method: 'GET', path, parameters: [...new URLSearchParams(query)] });
      });
      if (!POSTED.includes(path)) continue;
      it(`POST ${path}`, async () => {
        for (const query of queries)
          await compare({ method: 'POST', path, parameters: [...new URLSearchParams(query)] });
      });
    }

    it('what alerts write is federated once it is there', async () => {
      for (const match of ['{__name__=~"ALERTS.*"}', 'ALERTS', 'ALERTS_FOR_STATE{severity="ticket"}']) {
        await eventually(async () => {
          const path = `/federate?match[]=${encodeURIComponent(match)}`;
          const { ours, theirs } = await both!.ask({ method: 'GET', path });
          expect(settled(ours.body)).toBe(settled(theirs.body));
          expect(ours.body).toMatch(/^# TYPE ALERTS/);
          return true;
        }, 30_000);
      }
    });

    it('pages of rule groups follow one another', async () => {
      const names: string[][] = [[], []];
      const ask = async (token: string) => {
        const { ours, theirs } = await both!.ask({
          method: 'GET',
          path: `rules?group_limit=1${token && `&group_next_token=${token}`}`,
        });
        expect(settled(ours.body)).toEqual(settled(theirs.body));
        return [ours, theirs].map(({ body }, i) => {
          const { data } = JSON.parse(body) as {
            data: { groups: { name: string }[]; groupNextToken?: string };
          };
          names[i]!.push(...data.groups.map(({ name }) => name));
          return data.groupNextToken;
        });
      };
      const [token] = await ask('');
      expect(await ask(token!)).toEqual([undefined, undefined]);
      expect(names[0]).toEqual(['kept', 'other']);
      expect(names[1]).toEqual(names[0]);
    });
  },
);

// What differs from one moment, or one machine, to the next.
const OF_THE_MOMENT = /^(?:evaluationTime|lastEvaluation|activeAt|startedAt|missed|\w+Time|groupNextToken)$/;

/** A body with what is of the moment by its type only. */
function settled(body: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(body, (key, value) => {
      if (key === 'missed') return undefined;
      if (key === 'peakSamples') return typeof value;
      return OF_THE_MOMENT.test(key) ? typeof value : value;
    });
  } catch {
    // An exposition: values and times of alerts are those of the moment they began.
    return body.replace(/^(ALERTS\w*\{.*\}) .*$/gm, '$1');
  }
  return sorted(json as Parameters<typeof sorted>[0]);
}
