import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { bytesOf, START } from '../../conformance/store.ts';

const SERIES = 9_000;
let folder: string;
let store: Tsdb;
const open = () => {
  store = createStore({ path: join(folder, 'collector.db'), clock: createFakeClock(START) });
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-turns-'));
  open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

describe('a commit of very many new series', () => {
  it('lets others have the thread between some thousands of them, and is kept as a whole', async () => {
    const appender = store.appender();
    for (let i = 0; i < SERIES; i += 1)
      appender.append(appender.reference(bytesOf({ __name__: 'flood', pod: `p${i}` })), START, i);
    const committing = appender.commit();
    let turns = 0;
    let rows: unknown[] = [];
    const seen: number[] = [];
    let done = false;
    const look = () => {
      if (done) return;
      turns += 1;
      rows = [...store.querier().select([{ name: '__name__', op: '=', value: 'flood' }], START, START)];
      seen.push(rows.length);
      setImmediate(look);
    };
    setImmediate(look);
    const { samples } = await committing;
    done = true;
    expect(samples).toBe(SERIES);
    expect(turns).toBeGreaterThanOrEqual(4);
    // All of it or nothing, whoever looks in between.
    expect(seen.every((count) => count === 0 || count === SERIES)).toBe(true);
    await store.close();
    open();
    expect(store.stats().activeSeries).toBe(SERIES);
    const again = store.querier().select([{ name: 'pod', op: '=', value: 'p8999' }], START, START);
    expect([...again].map((series) => series.samples(START, START).v[0])).toEqual([8_999]);
  });
});
