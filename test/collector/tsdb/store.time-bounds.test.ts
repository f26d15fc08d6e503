import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statusRoutes } from '../../../src/collector/api/prometheus-status.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock, type FakeClock } from '../../../src/util/clock.ts';
import { START, write } from '../../conformance/store.ts';

const HOUR = 3_600_000;
const retention = { timeMs: 24 * HOUR, bytes: 2 ** 30 };
let folder: string;
let clock: FakeClock;
let store: Tsdb;
const open = () => {
  store = createStore({ path: join(folder, 'collector.db'), clock, retention });
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-bounds-'));
  clock = createFakeClock(START);
  open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

describe('the oldest and the newest sample', () => {
  it('are none in an empty store', async () => {
    expect(await store.timeBounds()).toBeUndefined();
    const memory = createMemoryStore();
    expect(await memory.timeBounds()).toBeUndefined();
    await memory.close();
  });

  it('are found in memory, on disk, of series that are on disk only, and after a restart', async () => {
    await write(store, { __name__: 'up', pod: 'old' }, [
      [START + 1000, 1],
      [START + 2000, 1],
    ]);
    const bounds = { minT: START + 1000, maxT: START + 2000 };
    expect(await store.timeBounds()).toEqual(bounds);
    await clock.advance(2 * HOUR);
    await write(store, { __name__: 'up', pod: 'new' }, [[START + 2 * HOUR, 1]]);
    await clock.advance(3 * 60_000);
    expect(store.stats()).toMatchObject({ activeSeries: 1, seriesDropped: 1 });
    expect(await store.timeBounds()).toEqual({ minT: START + 1000, maxT: START + 2 * HOUR });
    await store.close();
    open();
    expect(await store.timeBounds()).toEqual({ minT: START + 1000, maxT: START + 2 * HOUR });
  });

  it('move on with retention', async () => {
    await write(store, { __name__: 'up', pod: 'old' }, [[START, 1]]);
    await clock.advance(3 * HOUR);
    await write(store, { __name__: 'up', pod: 'new' }, [[START + 3 * HOUR, 1]]);
    await clock.advance(23 * HOUR);
    expect(await store.timeBounds()).toEqual({ minT: START + 3 * HOUR, maxT: START + 3 * HOUR });
  });

  it('are found among more rows of chunks than are read at a time', async () => {
    for (let i = 0; i < 1_200; i += 1)
      await write(store, { __name__: 'up', pod: `p${i}` }, [[START + ((i * 7) % 1_200) * 1000, 1]]);
    await clock.advance(2 * HOUR);
    await write(store, { __name__: 'up', pod: 'new' }, [[START + 2 * HOUR, 1]]);
    await clock.advance(3 * 60_000);
    expect(store.stats().activeSeries).toBe(1);
    expect(await store.timeBounds()).toEqual({ minT: START, maxT: START + 2 * HOUR });
  });
});

describe('status/tsdb', () => {
  let app: FastifyInstance;
  beforeEach(async () => {
    app = Fastify();
    await app.register(
      statusRoutes({
        querier: () => store.querier(),
        stats: () => store.stats(),
        timeBounds: () => store.timeBounds(),
        retention,
        evaluationIntervalMs: 1000,
        ruleFiles: [],
        listen: { host: '127.0.0.1', port: 0 },
        clock,
      }),
    );
  });
  afterEach(() => app.close());
  const headStats = async () => (await app.inject('/api/v1/status/tsdb')).json().data.headStats;

  it('tells the times of the oldest and the newest sample', async () => {
    await write(store, { __name__: 'up' }, [
      [START + 1000, 1],
      [START + 2000, 1],
    ]);
    await clock.advance(60_000);
    expect(await headStats()).toMatchObject({ minTime: START + 1000, maxTime: START + 2000 });
  });

  it('tells now where there is no sample', async () => {
    expect(await headStats()).toMatchObject({ minTime: START, maxTime: START });
  });
});
