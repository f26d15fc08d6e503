import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Committed } from '../../../src/collector/storage/storage.ts';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { type Clock, createFakeClock } from '../../../src/util/clock.ts';
import { bytesOf, START } from '../../conformance/store.ts';

const SERIES = 9_000;
let folder: string;
let store: Tsdb;
const open = () => {
  tickMs = 0;
  store = createStore({ path: join(folder, 'collector.db'), clock: ticking() });
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-turns-'));
  open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** Each look at the clock is so long after the one before. */
let tickMs = 0;
function ticking(): Clock {
  let ms = 0;
  return {
    ...createFakeClock(START),
    monotonic() {
      ms += tickMs;
      return ms;
    },
  };
}

const flood = (podPattern = '.+') =>
  [...store.querier().select([{ name: 'pod', op: '=~', value: podPattern }], START, START + 1_000)].map(
    (series) => Array.from(series.samples(START, START + 1_000).t),
  );

/** Looks again in each turn while `work` goes on. */
async function lookDuring<Seen>(work: Promise<unknown>, look: () => Seen): Promise<Seen[]> {
  const seen: Seen[] = [];
  let done = false;
  const next = () => {
    if (done) return;
    seen.push(look());
    setImmediate(next);
  };
  setImmediate(next);
  await work.finally(() => {
    done = true;
  });
  return seen;
}

function commit(t: number, from = 0, value = 1): Promise<Committed> {
  const appender = store.appender();
  for (let i = from; i < SERIES; i += 1)
    appender.append(appender.reference(bytesOf({ __name__: 'flood', pod: `p${i}` })), t, value);
  return appender.commit();
}

describe('a commit of very many series', () => {
  it('lets others have the thread between some hundreds of new ones, and is kept as a whole', async () => {
    const committing = commit(START);
    const seen = await lookDuring(committing, () => flood().length);
    expect(await committing).toMatchObject({ samples: SERIES, rejected: 0 });
    expect(seen.length).toBeGreaterThanOrEqual(SERIES / 1_000);
    // None is seen before all are on disk.
    expect(seen.every((count) => count === 0 || count === SERIES)).toBe(true);
    await store.close();
    open();
    expect(store.stats().activeSeries).toBe(SERIES);
    expect(flood('p8999')).toEqual([[START]]);
  });

  it('lets others have the thread while it is taken in, and they see ever more of it', async () => {
    await commit(START);
    tickMs = 4;
    const committing = commit(START + 20);
    const seen = await lookDuring(committing, () => flood().flat().length);
    expect(await committing).toMatchObject({ samples: SERIES, rejected: 0 });
    expect(flood().flat()).toHaveLength(2 * SERIES);
    expect(new Set(seen).size).toBeGreaterThanOrEqual(4);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it('is taken in before what is committed after it', async () => {
    await commit(START);
    tickMs = 4;
    const [large, small] = await Promise.all([commit(START + 20), commit(START + 20, SERIES - 1, 7)]);
    expect([large, small]).toMatchObject([
      { samples: SERIES, rejected: 0 },
      { samples: 0, rejected: 1 },
    ]);
  });

  it('is all or nothing for whoever looks while it is small', async () => {
    await commit(START, SERIES - 1_000);
    tickMs = 4;
    const seen = await lookDuring(commit(START + 20, SERIES - 1_000), () => flood().flat().length);
    expect(flood().flat()).toHaveLength(2_000);
    expect(seen.every((count) => count === 1_000 || count === 2_000)).toBe(true);
  });
});
