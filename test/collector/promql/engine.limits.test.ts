import { describe, expect, it } from 'vitest';
import { createEngine, type EngineOptions } from '../../../src/collector/promql/engine.ts';
import type { Querier } from '../../../src/collector/storage/storage.ts';
import { toLabels } from '../../../src/model/labels.ts';
import type { Samples } from '../../../src/model/sample.ts';
import { type Clock, createFakeClock, systemClock } from '../../../src/util/clock.ts';

const INTERVAL_MS = 15_000;

/** A store of `count` counters of `length` samples each, in arrays they share. */
function counters(count: number, length: number): Querier {
  const samples: Samples = {
    t: Float64Array.from({ length }, (_, i) => i * INTERVAL_MS),
    v: Float64Array.from({ length }, (_, i) => i),
    length,
  };
  const all = Array.from({ length: count }, (_, i) => ({
    labels: toLabels({ __name__: 'requests_total', instance: String(i), job: String(i % 7) }),
    samples: () => samples,
  }));
  return { select: () => all, labelNames: () => [], labelValues: () => [] };
}

const engineOver = (querier: Querier, options: Partial<EngineOptions> = {}) =>
  createEngine({ querier: () => querier, clock: systemClock, ...options });

const HOUR = { startMs: 0, endMs: 3_600_000, stepMs: INTERVAL_MS };

describe('a query is stopped', () => {
  it('when its caller gives it up', async () => {
    const stop = new AbortController();
    const answer = engineOver(counters(2000, 1000)).queryRange('rate(requests_total[5m])', HOUR, stop.signal);
    stop.abort();
    await expect(answer).rejects.toMatchObject({ code: 'QUERY_CANCELED' });
  });

  it('when it takes too long', async () => {
    // Every look at this clock takes a second.
    const slow: Clock = {
      ...createFakeClock(),
      monotonic: (
        (now) => () =>
          (now += 1000)
      )(0),
    };
    const engine = engineOver(counters(100, 100), { clock: slow, limits: { timeoutMs: 30_000 } });
    await expect(engine.queryRange('rate(requests_total[5m])', HOUR)).rejects.toMatchObject({
      code: 'QUERY_TIMEOUT',
      status: 503,
      message: 'query timed out in expression evaluation',
    });
  });

  it('when it would hold too many samples', async () => {
    const engine = engineOver(counters(100, 240), { limits: { maxSamples: 10_000 } });
    await expect(engine.queryRange('requests_total', HOUR)).rejects.toMatchObject({
      code: 'QUERY_TOO_MANY_SAMPLES',
      status: 422,
    });
    // An aggregation that fits goes through: what its operand took is free again.
    const answer = await engine.queryRange('sum(requests_total{}) + 0 * sum(requests_total)', {
      ...HOUR,
      endMs: 600_000,
    });
    expect(answer.value).toMatchObject({ type: 'matrix' });
  });

  it('when its range is none', async () => {
    const engine = engineOver(counters(1, 1));
    await expect(engine.queryRange('1', { ...HOUR, stepMs: 0 })).rejects.toMatchObject({
      code: 'QUERY_RANGE_INVALID',
    });
    await expect(engine.queryRange('requests_total[5m]', HOUR)).rejects.toMatchObject({
      message: 'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    });
  });
});

describe('a heavy query shares the thread', () => {
  const heavy = [
    'sum by (job) (rate(requests_total[5m]))',
    'max_over_time(rate(requests_total[5m])[30m:15s])',
    'quantile by (job) (0.9, requests_total)',
    'requests_total / on (instance) requests_total',
    'topk(5, requests_total)',
  ];
  for (const expr of heavy) {
    it(expr, async () => {
      const engine = engineOver(counters(2000, 500));
      let turns = 0;
      let over = false;
      const count = () => {
        turns += 1;
        if (!over) setImmediate(count);
      };
      setImmediate(count);
      const began = performance.now();
      await engine.queryRange(expr, { startMs: 0, endMs: 7_200_000, stepMs: 30_000 });
      over = true;
      const tookMs = performance.now() - began;
      // It is in turns of 8 ms; one a 100 ms leaves room for a busy machine.
      expect(turns).toBeGreaterThan(Math.floor(tookMs / 100));
    });
  }
});
