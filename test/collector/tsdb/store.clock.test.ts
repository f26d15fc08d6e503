import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock, type FakeClock } from '../../../src/util/clock.ts';
import { eventOf, read, START, write } from '../../conformance/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NAMED = [{ name: '__name__', op: '=', value: 'm' }] as const;

describe('a store whose clock jumps', () => {
  let folder: string;
  let fake: FakeClock;
  let jumpMs: number;
  let store: Tsdb;
  const now = () => fake.now() + jumpMs;
  const open = () => {
    store = createStore({ path: join(folder, 'collector.db'), clock: { ...fake, now } });
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-clock-'));
    fake = createFakeClock(START);
    jumpMs = 0;
    open();
    await write(store, { __name__: 'm' }, [[START, 11]]);
    await store.events.append([eventOf('e1', START)]);
    await fake.advance(2 * MINUTE);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('ahead by a year: says so, removes nothing for its age, takes samples, and goes on when it is right again', async () => {
    expect(store.concerns()).toEqual([]);
    jumpMs = 365 * DAY;
    await fake.advance(5 * MINUTE);
    expect(store.concerns()).toEqual([
      expect.stringMatching(/jumped ahead from 2026-01-01T12:.* by 365 days.*set it/),
    ]);
    await write(store, { __name__: 'other' }, [[now(), 12]]);
    await fake.advance(5 * MINUTE);
    expect(read(store, NAMED)).toEqual({ '__name__=m': '11@0' });
    expect(store.events.events({})).toHaveLength(1);
    jumpMs = 0;
    await fake.advance(5 * MINUTE);
    expect(store.concerns()).toEqual([expect.stringMatching(/jumped back .* by 365 days/)]);
    await write(store, { __name__: 'm' }, [[now(), 13]]);
    await fake.advance(5 * MINUTE);
    expect(read(store, NAMED)).toEqual({ '__name__=m': `11@0 13@${17 * 60}` });
    expect(store.stats().activeSeries).toBeGreaterThan(0);
    expect(store.state()).toEqual({ kind: 'ok' });
  });

  it('ahead by twenty days at a start: says so, removes nothing for its age for a day, and goes on when it is right again', async () => {
    await store.close();
    jumpMs = 20 * DAY;
    open();
    expect(store.concerns()).toEqual([
      expect.stringMatching(/newest sample was of 2026-01-01T12:00:00.*, 20 days before this start.*set it/),
    ]);
    await fake.advance(5 * MINUTE);
    await store.maintain();
    expect(read(store, NAMED)).toEqual({ '__name__=m': '11@0' });
    expect(store.events.events({})).toHaveLength(1);
    jumpMs = 0;
    await store.maintain();
    expect(store.concerns()).toEqual([expect.stringMatching(/jumped back .* by 20 days/)]);
    await write(store, { __name__: 'm' }, [[now(), 13]]);
    expect(read(store, NAMED)).toEqual({ '__name__=m': `11@0 13@${7 * 60}` });
    await fake.advance(14 * DAY);
    expect(read(store, NAMED)).toEqual({ '__name__=m': `11@0 13@${7 * 60}` });
  });

  it('right, after a pause of twenty days: what is too old is removed a day after the start', async () => {
    await store.close();
    jumpMs = 20 * DAY;
    open();
    await fake.advance(DAY - HOUR);
    await store.maintain();
    expect(read(store, NAMED)).toEqual({ '__name__=m': '11@0' });
    await write(store, { __name__: 'other' }, [[now(), 12]]);
    await fake.advance(2 * HOUR);
    await write(store, { __name__: 'other' }, [[now(), 12]]);
    for (let i = 0; i < 3; i += 1) await store.maintain();
    expect(read(store, NAMED)).toEqual({});
    expect(store.events.events({})).toEqual([]);
    expect(store.concerns()).toEqual([]);
  });

  it('back by an hour: says what is refused and until when, and keeps what it has', async () => {
    jumpMs = -60 * MINUTE;
    await fake.advance(MINUTE);
    expect(store.concerns()).toEqual([
      expect.stringMatching(
        /jumped back .* by 60 minutes.*no samples older than 10 minutes before its newest/,
      ),
    ]);
    expect((await write(store, { __name__: 'm' }, [[now(), 12]])).rejected).toBe(1);
    expect(read(store, NAMED)).toEqual({ '__name__=m': '11@0' });
    expect((await write(store, { __name__: 'new' }, [[now(), 12]])).samples).toBe(1);
    await fake.advance(70 * MINUTE);
    expect((await write(store, { __name__: 'm' }, [[now(), 13]])).samples).toBe(1);
  });
});
