import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Retention } from '../../../src/collector/tsdb/limits.ts';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock, type FakeClock } from '../../../src/util/clock.ts';
import { bytesOf, cart, eventOf, podOf, START, write } from '../../conformance/store.ts';
import { expectShortRounds, roundsDuring } from '../../support/rounds.ts';

const SERIES = 8_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('maintenance of very much', () => {
  let folder: string;
  let clock: FakeClock;
  let store: Tsdb;
  const open = (retention: Retention = { timeMs: 15 * DAY, bytes: 2 ** 31 }) => {
    // No round but those of the test.
    const quiet = { ...clock, setTimer: () => () => {} };
    store = createStore({ path: join(folder, 'collector.db'), clock: quiet, retention });
  };
  const rowsOf = async (minT: number, maxT: number) => {
    let [series, samples] = [0, 0];
    for (const one of store.querier().select([{ name: '__name__', op: '=', value: 'm' }], minT, maxT)) {
      const { length } = one.samples(minT, maxT);
      series += length > 0 ? 1 : 0;
      samples += length;
    }
    return { series, samples };
  };
  const fill = async (...times: readonly number[]) => {
    for (const t of times) {
      for (let from = 0; from < SERIES; from += 2_000) {
        const appender = store.appender();
        for (let i = from; i < from + 2_000; i += 1)
          appender.append(
            appender.reference(bytesOf({ __name__: 'm', pod: `p${i}`, ns: `n${i % 50}` })),
            t,
            i,
          );
        await appender.commit();
      }
    }
  };
  const maintainInShortRounds = async () => {
    const { roundsMs } = await roundsDuring(() => store.maintain());
    expectShortRounds(roundsMs);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-maintenance-'));
    clock = createFakeClock(START);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('holds no other longer than a turn: chunks to disk, silent series, samples and series too old', async () => {
    open();
    await fill(START - 2 * HOUR, START - HOUR, START);
    await maintainInShortRounds();
    expect(await rowsOf(START - 2 * HOUR, START)).toEqual({ series: SERIES, samples: 3 * SERIES });

    await clock.advance(2 * HOUR);
    // Series are silent beside one that is not.
    await write(store, { __name__: 'other' }, [[clock.now(), 1]]);
    for (let i = 0; i < 3; i += 1) await maintainInShortRounds();
    expect(store.stats().activeSeries).toBe(1);
    expect(await rowsOf(START - 2 * HOUR, START)).toEqual({ series: SERIES, samples: 3 * SERIES });

    await clock.advance(16 * DAY);
    await maintainInShortRounds();
    expect(await rowsOf(START - 2 * HOUR, START)).toEqual({ series: 0, samples: 0 });
    await store.close();
    open();
    expect(store.stats().activeSeries).toBe(1);
  }, 120_000);

  it('holds no other longer than a turn: a file that is too large', async () => {
    open();
    await fill(START - 2 * HOUR, START - HOUR, START);
    await store.maintain();
    await store.close();
    open({ timeMs: 15 * DAY, bytes: 2 ** 20 });
    await maintainInShortRounds();
    const left = await rowsOf(START - 2 * HOUR, START);
    expect(left.samples).toBeLessThan(3 * SERIES);
  }, 120_000);

  it('holds no other longer than a turn: events and states too old or too many', async () => {
    open({ timeMs: DAY, bytes: 2 ** 31 });
    for (let from = 0; from < 12_000; from += 2_000)
      await store.events.append(
        Array.from({ length: 2_000 }, (_, i) => {
          const at = from + i;
          const pod = { ...cart, name: `cart-${at % 4}`, uid: `u${at % 4}` };
          return eventOf(`e${at}`, START + at, { pod, message: 'x'.repeat(500) });
        }),
      );
    for (let from = 0; from < 22_000; from += 2_000)
      await store.events.append(
        Array.from({ length: 2_000 }, (_, i) =>
          podOf(`s${from + i}`, START + from + i, {
            pod: { ...cart, name: `old-${from + i}`, uid: `o${from + i}` },
            deleted: true,
          }),
        ),
      );
    await maintainInShortRounds();
    // Two thousand of a pod; twenty thousand states, the newest.
    const query = { limit: 10_000, sinceMs: 0 };
    expect(await store.events.searchEvents(query)).toHaveLength(8_000);
    expect(store.events.pods({ deleted: true, uid: 'o1999' })).toHaveLength(0);
    expect(store.events.pods({ deleted: true, uid: 'o2000' })).toHaveLength(1);
    await clock.advance(2 * DAY);
    await maintainInShortRounds();
    expect(await store.events.searchEvents(query)).toHaveLength(0);
    expect(store.events.pods({ deleted: true, limit: 10 })).toHaveLength(0);
  }, 120_000);
});
