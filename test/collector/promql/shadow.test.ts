import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import type { Querier } from '../../../src/collector/storage/storage.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { START, write } from '../../conformance/store.ts';

const MINUTE = 60_000;

async function setUp(wrap: (querier: Querier) => Querier) {
  const store = createMemoryStore();
  const samples = Array.from({ length: 600 }, (_, i) => [START + i * MINUTE, i * 3] as const);
  await write(store, { __name__: 'x_total' }, samples);
  const compared: (readonly [text: string, agreed: boolean])[] = [];
  const querier = wrap(store.querier());
  const engine = createEngine({
    querier: () => querier,
    clock: createFakeClock(START),
    shadow: {
      share: 1,
      random: () => 0,
      onCompared: (text, agreed) => compared.push([text, agreed]),
    },
  });
  const ask = async (minute: number) => {
    const { value } = await engine.query('increase(x_total[1h])', START + minute * MINUTE);
    return value.type === 'vector' ? value.samples[0]!.v : undefined;
  };
  return { store, compared, ask };
}

/** A store whose windows have forgotten a reset that never was. */
const lying = (querier: Querier): Querier => ({
  ...querier,
  changes: querier.changes!,
  windows(matchers, rangeMs) {
    const windows = querier.windows!(matchers, rangeMs);
    return {
      get generation() {
        return windows.generation;
      },
      *search(endT) {
        for (const one of windows.search(endT))
          yield one && {
            labels: one.labels,
            samples: (minT: number, maxT: number) => one.samples(minT, maxT),
            summaryUntil: (until: number) => ({ ...one.summaryUntil(until), befores: [1000] }),
          };
      },
    };
  },
});

describe('shadow evaluation', () => {
  it('agrees, and says so', async () => {
    const { ask, compared, store } = await setUp((querier) => querier);
    for (const minute of [300, 301, 302]) expect(await ask(minute)).toBeCloseTo(180);
    // The first time an expression is asked its samples are looked at anyway.
    expect(compared).toEqual([
      ['increase(x_total[1h])', true],
      ['increase(x_total[1h])', true],
    ]);
    await store.close();
  });

  it('finds a store whose summaries are wrong, gives the right answer and asks them no more', async () => {
    const { ask, compared, store } = await setUp(lying);
    for (const minute of [300, 301, 302, 303]) expect(await ask(minute)).toBeCloseTo(180);
    expect(compared).toEqual([['increase(x_total[1h])', false]]);
    await store.close();
  });
});
