import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { encodeLabels, toLabels } from '../../../src/model/labels.ts';
import { type Clock, createFakeClock, systemClock } from '../../../src/util/clock.ts';

const STEP_MS = 15_000;
const SERIES = 400;
const SAMPLES = 600;
const END_MS = SAMPLES * STEP_MS;

async function filledStore() {
  const store = createMemoryStore({ clock: createFakeClock() });
  const appender = store.appender();
  for (let i = 0; i < SERIES; i += 1) {
    const labels = toLabels({ __name__: 'requests_total', instance: String(i), job: String(i % 7) });
    const ref = appender.reference(encodeLabels(labels));
    for (let k = 0; k < SAMPLES; k += 1) appender.append(ref, k * STEP_MS, k * (i + 1) + 0.5 * (i % 2));
  }
  await appender.commit();
  return store;
}

/** A clock by which every look finds the turn over, and which counts them. */
function impatientClock(): Clock & { looks(): number } {
  let looks = 0;
  return {
    ...createFakeClock(),
    monotonic() {
      looks += 1;
      return looks * 100;
    },
    looks: () => looks,
  };
}

/** Rounds of the event loop that others had while `work` ran. */
async function roundsDuring(work: Promise<unknown>): Promise<number> {
  let rounds = 0;
  let running = true;
  const count = () => {
    rounds += 1;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  await work;
  running = false;
  return rounds;
}

describe('a heavy query', () => {
  const range = { startMs: 0, endMs: END_MS, stepMs: STEP_MS };
  // What is done between two looks at the clock must be little: a series, a group, a step, a chunk.
  it.each([
    ['reads a series at a time', 'requests_total', SERIES],
    ['decodes a chunk at a time', 'count_over_time(requests_total[1h])', (SERIES * SAMPLES) / 240],
    ['goes on a series at a time', 'requests_total * 2', 2 * SERIES],
    ['matches a pair at a time', 'requests_total / on (instance) requests_total', 4 * SERIES],
    ['is filtered a series at a time', 'requests_total and on (job) requests_total', 4 * SERIES],
    [
      'folds a hundred thousand values at a time',
      'stddev(requests_total)',
      SERIES + (SERIES * SAMPLES) / 100_000,
    ],
    ['ranks a step at a time', 'topk(3, requests_total)', SERIES + SAMPLES],
    ['repeats a series at a time', 'requests_total @ 60', SERIES],
    ['relabels a series at a time', 'label_replace(requests_total, "a", "$1", "job", "(.*)")', 2 * SERIES],
    ['counts values a series at a time', 'count_values("v", requests_total > bool 100)', 2 * SERIES],
  ])('%s', async (_, text, atLeast) => {
    const store = await filledStore();
    const clock = impatientClock();
    const engine = createEngine({
      querier: () => store.querier(),
      clock,
      limits: { timeoutMs: Number.MAX_SAFE_INTEGER },
    });
    const rounds = await roundsDuring(engine.queryRange(text, range));
    expect(clock.looks()).toBeGreaterThan(atLeast);
    // Each time the turn was found over, others had theirs.
    expect(rounds).toBeGreaterThan(atLeast / 10);
    await store.close();
  });

  it('tells how long each of its turns was, in CPU time', async () => {
    const store = await filledStore();
    const turns: number[] = [];
    const engine = createEngine({
      querier: () => store.querier(),
      clock: impatientClock(),
      limits: { timeoutMs: Number.MAX_SAFE_INTEGER },
      onTurn: (cpuSeconds) => turns.push(cpuSeconds),
    });
    const before = process.threadCpuUsage();
    await engine.queryRange('requests_total * 2', range);
    const { user, system } = process.threadCpuUsage(before);
    // One for each pause and one for the rest; all together no more than was spent.
    expect(turns.length).toBeGreaterThan(2 * SERIES);
    expect(turns.every((seconds) => seconds >= 0)).toBe(true);
    const microseconds = turns.map((seconds) => Math.round(seconds * 1e6));
    expect(microseconds.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(user + system);
    await store.close();
  });

  it('delays others no longer when there are many of them', async () => {
    const store = await filledStore();
    const engine = createEngine({
      querier: () => store.querier(),
      clock: impatientClock(),
      limits: { timeoutMs: Number.MAX_SAFE_INTEGER },
    });
    const alone = await roundsDuring(engine.queryRange('requests_total * 2', range));
    const many = Array.from({ length: 5 }, () => engine.queryRange('requests_total * 2', range));
    // One of them goes on in each round, not all five.
    expect(await roundsDuring(Promise.all(many))).toBeGreaterThan(3 * alone);
    await store.close();
  });
});

describe('queries beyond the limit', () => {
  const once = { startMs: 0, endMs: END_MS, stepMs: STEP_MS };
  const engineOf = async (
    limits: { maxConcurrency: number; timeoutMs?: number },
    clock: Clock = systemClock,
  ) => {
    const store = await filledStore();
    return createEngine({ querier: () => store.querier(), clock, limits });
  };

  it('wait for their turn, and all are answered', async () => {
    const engine = await engineOf({ maxConcurrency: 2 });
    const done: number[] = [];
    const ask = (i: number) => engine.queryRange('sum(requests_total)', once).then(() => done.push(i));
    await Promise.all([0, 1, 2, 3, 4, 5].map(ask));
    expect(done.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(done.indexOf(5)).toBeGreaterThan(done.indexOf(0));
  });

  it('are given up when their caller is gone, or when it takes too long', async () => {
    const clock = createFakeClock();
    const engine = await engineOf({ maxConcurrency: 0, timeoutMs: 1000 }, clock);
    const stop = new AbortController();
    const gone = engine.query('1', 0, stop.signal);
    const late = engine.query('1', 0);
    stop.abort();
    await expect(gone).rejects.toMatchObject({
      code: 'QUERY_CANCELED',
      message: 'query was canceled in query queue',
    });
    const expectation = expect(late).rejects.toMatchObject({ code: 'QUERY_TIMEOUT', status: 503 });
    await clock.advance(1000);
    await expectation;
  });
});
