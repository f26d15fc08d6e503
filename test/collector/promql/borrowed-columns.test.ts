import { describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../src/collector/promql/engine.ts';
import { createColumnPool } from '../../../src/collector/promql/evaluation/step-columns.ts';
import { toLabels } from '../../../src/model/labels.ts';
import type { QueryResult } from '../../../src/model/query-result.ts';
import { listOf } from '../../../src/model/sample.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createSampleStore } from '../../support/sample-store.ts';

const QUERIES = [
  'x_total',
  'topk(2, x_total)',
  'bottomk(1, rate(x_total[1m]))',
  'sum by (ns) (rate(x_total[1m]))',
  'max(x_total) by (pod)',
  'count(x_total)',
  'x_total and on (pod) y',
  'x_total / on (pod) group_left () y',
  'x_total or y',
  '-y > 3',
  'scalar(y{pod="1"})',
  'absent(x_total{pod="9"})',
  'label_replace(y, "a", "$1", "pod", "(.*)")',
  'quantile by (ns) (0.5, x_total)',
  'max_over_time((rate(x_total[1m]) > 0.2)[2m:30s])',
  'histogram_quantile(0.9, y)',
  'x_total @ 100 + y',
];

function store() {
  const made = createSampleStore();
  for (const name of ['x_total', 'y']) {
    for (let pod = 0; pod < 6; pod += 1) {
      const samples = Array.from({ length: 60 }, (_, i) => ({ t: i * 10_000, v: (i * (pod + 3)) % 41 }));
      made.append(toLabels({ __name__: name, pod: String(pod), ns: String(pod % 2) }), samples);
    }
  }
  return made;
}

const asText = ({ value }: QueryResult) =>
  JSON.stringify(
    value.type === 'matrix' ? value.series.map(({ labels, samples }) => [labels, listOf(samples)]) : value,
  );

const ask = (engine: Engine, text: string, i: number) =>
  i % 3 === 0
    ? engine.query(text, 300_000)
    : engine.queryRange(text, { startMs: 0, endMs: 590_000, stepMs: i % 3 === 1 ? 10_000 : 25_000 });

describe('columns that serve one query after another', () => {
  it('give each the answer it has by itself, also while others are evaluated', async () => {
    const { querier } = store();
    const wanted = new Map<string, string>();
    for (let i = 0; i < QUERIES.length * 3; i += 1) {
      const engine = createEngine({ querier: () => querier, clock: systemClock });
      const text = QUERIES[i % QUERIES.length]!;
      wanted.set(`${text} ${i % 3}`, asText(await ask(engine, text, i)));
    }
    const engine = createEngine({ querier: () => querier, clock: systemClock });
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: QUERIES.length * 3 }, async (_, j) => {
          const i = (j * (round + 1)) % (QUERIES.length * 3);
          const text = QUERIES[i % QUERIES.length]!;
          const result = await ask(engine, text, i);
          const told = asText(result);
          // Some who ask do not say that they are done.
          if (j % 5 !== 0) result.release?.();
          expect(told, text).toBe(wanted.get(`${text} ${i % 3}`));
        }),
      );
    }
  });

  it('are zeros again, and lent to nobody twice at a time', () => {
    const pool = createColumnPool();
    const one = pool.borrow();
    const first = one.take(3);
    first.values.fill(7);
    first.present.fill(1);
    const second = one.take(3);
    expect(second).not.toBe(first);
    one.giveBack();
    one.giveBack();
    const other = pool.borrow();
    const again = [other.take(3), other.take(3), other.take(3)];
    expect(new Set(again).size).toBe(3);
    expect(again).toContain(first);
    for (const { values, present } of again) {
      expect([...values]).toEqual([0, 0, 0]);
      expect([...present]).toEqual([0, 0, 0]);
    }
  });

  it('are kept up to a bound, those of other lengths first to go', () => {
    const pool = createColumnPool(5_000);
    const one = pool.borrow();
    const long = Array.from({ length: 3 }, () => one.take(100));
    one.giveBack();
    const two = pool.borrow();
    const short = Array.from({ length: 5 }, () => two.take(10));
    two.giveBack();
    const three = pool.borrow();
    expect(short).toContain(three.take(10));
    const after = Array.from({ length: 3 }, () => three.take(100));
    expect(after.filter((columns) => long.includes(columns)).length).toBeLessThan(3);
  });
});
