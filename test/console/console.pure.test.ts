import { describe, expect, it } from 'vitest';
import { legendOf, thresholdColour } from '../../src/console/dashboards/grafana.ts';
import { ALL, interpolate } from '../../src/console/dashboards/interpolate.ts';
import { toTable } from '../../src/console/dashboards/table.ts';
import { formatOf } from '../../src/console/dashboards/unit.ts';
import { bytes, cores, span } from '../../src/console/format.ts';
import { visible } from '../../src/console/pod/visible.ts';
import { groupByWorkload } from '../../src/console/pods/group.ts';
import { summarizePod } from '../../src/model/pod-summary.ts';
import { shopRecords } from '../support/shop-records.ts';

describe('numbers and times in words', () => {
  it.each([
    [210, '0.2s'],
    [45_000, '45s'],
    [192_000, '3m12s'],
    [2 * 3600_000 + 5 * 60_000, '125m'],
    [5 * 3600_000 + 5 * 60_000, '5h5m'],
    [76 * 3600_000, '3d4h'],
    [-5, '0s'],
  ])('%i ms is %s', (ms, words) => expect(span(ms)).toBe(words));

  it('shows usage as kubectl top does', () => {
    expect([cores(0.0404), cores(1.25), bytes(31 * 2 ** 20), bytes(1.5 * 2 ** 30), bytes(512)]).toEqual([
      '40m',
      '1.25',
      '31Mi',
      '1.5Gi',
      '512B',
    ]);
  });

  it("speaks Grafana's units", () => {
    expect(formatOf('percentunit', undefined)(0.9912)).toBe('99.1%');
    expect(formatOf('percentunit', 0)(0.9912)).toBe('99%');
    expect(formatOf('s', undefined)(0.25)).toBe('250ms');
    expect(formatOf(undefined, undefined)(Number.NaN)).toBe('no value');
    expect(formatOf(undefined, undefined)(Number.POSITIVE_INFINITY)).toBe('∞');
  });
});

describe('hostile text', () => {
  it('shows escape codes and reordering marks instead of obeying them', () => {
    expect(visible('\x1b[31mred\x07')).toBe('␛[31mred␇');
    expect(visible('a\u202eb')).toBe('a<U+202E>b');
    expect(visible('\ttabs stay')).toBe('\ttabs stay');
  });
});

describe('pods by workload', () => {
  it('come worst first', () => {
    const pods = shopRecords(Date.UTC(2026, 10, 21)).flatMap((record) =>
      record.kind === 'pod' && !record.state.deleted ? [summarizePod(record.state)] : [],
    );
    const groups = groupByWorkload(pods.reverse());
    expect(groups.map(({ workload, trouble, ready }) => [workload, trouble, ready])).toEqual([
      ['cart', 'broken', 0],
      ['search', 'broken', 0],
      ['worker', 'faulty', 1],
      ['web', 'none', 3],
    ]);
  });
});

describe("Grafana's variables", () => {
  const variables = [
    { type: 'query', name: 'pod', allValue: '.*' },
    { type: 'textbox', name: 'price', query: '0.03' },
  ];
  const range = { start: 0, end: 3600, step: 15 };
  const fill = (expr: string, choices: Record<string, string> = {}) =>
    interpolate(expr, variables, choices, range);

  it('stand for everything, for one value, and for spans of the range', () => {
    expect(fill('up{pod=~"$pod"}')).toBe('up{pod=~".*"}');
    expect(fill('up{pod=~"$pod"}', { pod: ALL })).toBe('up{pod=~".*"}');
    expect(fill(`up{pod=~"\${pod:regex}"}`, { pod: 'web-1' })).toBe('up{pod=~"web-1"}');
    expect(fill('rate(a[$__rate_interval]) + rate(b[$__range])')).toBe('rate(a[60s]) + rate(b[3600s])');
    expect(fill('$price * 2')).toBe('0.03 * 2');
  });

  it('never let a value out of its string', () => {
    expect(fill('up{pod=~"$pod"}', { pod: 'a.b"} or x{y="' })).toBe(
      String.raw`up{pod=~"a\\.b\"\\} or x\\{y=\""}`,
    );
    expect(fill('$price', { price: '1) or (up' })).toBe('0');
  });
});

describe("a panel's data", () => {
  it('names series by the legend, or by their labels', () => {
    expect(legendOf('{{namespace}}/{{ pod }}', { namespace: 'shop', pod: 'web' })).toBe('shop/web');
    expect(legendOf(undefined, { __name__: 'up', job: 'kubelet' })).toBe('job=kubelet');
  });

  it('takes the colour of the highest threshold reached', () => {
    const steps = [
      { value: null, color: 'green' },
      { value: 1, color: 'red' },
    ];
    expect([0, 1, 5].map((value) => thresholdColour({ thresholds: { steps } }, value))).toEqual([
      'green',
      'red',
      'red',
    ]);
  });

  it('is a table by the order, names and omissions of the panel', () => {
    const panel = {
      type: 'table',
      transformations: [
        {
          id: 'organize',
          options: {
            indexByName: { pod: 0, reason: 1, Value: 2 },
            renameByName: { Value: 'deaths' },
            excludeByName: { job: true },
          },
        },
      ],
    };
    const table = toTable(panel, [
      { metric: { reason: 'Error', pod: 'web', job: 'kubelet' }, value: 3 },
      { metric: { pod: 'cart', job: 'kubelet' }, value: 7 },
    ]);
    expect(table.columns.map(({ name }) => name)).toEqual(['pod', 'reason', 'deaths']);
    expect(table.rows).toEqual([
      ['cart', '', 7],
      ['web', 'Error', 3],
    ]);
  });
});
