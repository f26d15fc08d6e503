import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStore, type StoreOptions, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import type { Matcher } from '../../../src/model/matcher.ts';
import type { AgentRecord } from '../../../src/model/record.ts';
import { createFakeClock, type FakeClock } from '../../../src/util/clock.ts';
import { bytesOf, eventOf, podOf, read, START, write } from '../../conformance/store.ts';

const HOUR = 3_600_000;
let folder: string;
let clock: FakeClock;
let store: Tsdb;
const open = (options: Partial<StoreOptions> = {}) => {
  store = createStore({ path: join(folder, 'collector.db'), clock, ...options });
};
const named = (name: string): Matcher[] => [{ name: '__name__', op: '=', value: name }];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-retention-'));
  clock = createFakeClock(START);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

describe('series that come and go', () => {
  it('leave memory when they have been silent for an hour, and are still found on disk', async () => {
    open();
    await write(store, { __name__: 'up', pod: 'old', zone: 'a' }, [
      [START, 11],
      [START + 1000, 12],
    ]);
    await clock.advance(HOUR + 60_000);
    await write(store, { __name__: 'up', pod: 'new', zone: 'a' }, [[START + HOUR + 60_000, 13]]);
    await clock.advance(3 * 60_000);
    expect(store.stats()).toMatchObject({ activeSeries: 1, seriesDropped: 1 });
    const both = { '__name__=up,pod=new,zone=a': '13@3660', '__name__=up,pod=old,zone=a': '11@0 12@1' };
    expect(read(store, named('up'))).toEqual(both);
    expect(read(store, [{ name: 'zone', op: '=~', value: 'a.*' }])).toEqual(both);
    expect(read(store, [{ name: 'pod', op: '!=', value: 'new' }])).toEqual({
      '__name__=up,pod=old,zone=a': '11@0 12@1',
    });
    expect(read(store, named('up'), START + HOUR)).toEqual({ '__name__=up,pod=new,zone=a': '13@3660' });
    expect(store.querier().labelValues('pod', [], START, START + HOUR)).toEqual(['old']);
    expect(store.querier().labelValues('pod', [], START, START + 2 * HOUR)).toEqual(['new', 'old']);
  });

  it('come back under the same reference, also after a restart', async () => {
    open();
    const labels = { __name__: 'up', pod: 'old' };
    const before = store.appender().reference(bytesOf(labels));
    await write(store, labels, [[START, 11]]);
    await clock.advance(HOUR + 60_000);
    await write(store, { __name__: 'up', pod: 'new' }, [[START + HOUR + 60_000, 13]]);
    await clock.advance(3 * 60_000);
    expect(store.stats().activeSeries).toBe(1);
    await write(store, labels, [[START + 2 * HOUR, 14]]);
    expect(store.appender().reference(bytesOf(labels))).toBe(before);
    expect(read(store, [{ name: 'pod', op: '=', value: 'old' }])).toEqual({
      '__name__=up,pod=old': '11@0 14@7200',
    });
    await store.close();
    open();
    expect(read(store, [{ name: 'pod', op: '=', value: 'old' }])).toEqual({
      '__name__=up,pod=old': '11@0 14@7200',
    });
    expect(store.appender().reference(bytesOf(labels))).toBe(before);
  });

  it('are refused beyond the limit, with what to do about it, and the others go on', async () => {
    open({ limits: { activeSeries: 2 } });
    const appender = store.appender();
    for (const pod of ['a', 'b'])
      appender.append(appender.reference(bytesOf({ __name__: 'up', pod })), START, 1);
    expect(() => appender.reference(bytesOf({ __name__: 'up', pod: 'c' }))).toThrow(
      /holds 2 active series, its limit; send fewer/,
    );
    expect(await appender.commit()).toMatchObject({ samples: 2 });
    expect(store.stats()).toMatchObject({ activeSeries: 2, seriesRefused: 1 });
  });
});

describe('retention', () => {
  it('by time removes chunks, and series of which nothing is left', async () => {
    open({ retention: { timeMs: 24 * HOUR, bytes: 2 ** 30 } });
    await write(store, { __name__: 'up', pod: 'old' }, [[START, 11]]);
    await clock.advance(2 * HOUR);
    await write(store, { __name__: 'up', pod: 'new' }, [[START + 2 * HOUR, 12]]);
    await clock.advance(5 * 60_000);
    expect(Object.keys(read(store, named('up')))).toHaveLength(2);
    await clock.advance(23 * HOUR);
    expect(read(store, named('up'))).toEqual({ '__name__=up,pod=new': '12@7200' });
  });

  it('holds for what was active when the store was closed for longer than that', async () => {
    open({ retention: { timeMs: 24 * HOUR, bytes: 2 ** 30 } });
    await write(store, { __name__: 'up', pod: 'old' }, [[START, 11]]);
    await store.close();
    await clock.advance(100 * HOUR);
    open({ retention: { timeMs: 24 * HOUR, bytes: 2 ** 30 } });
    // The clock may be wrong: for a day nothing is removed.
    await clock.advance(24 * HOUR);
    await write(store, { __name__: 'up', pod: 'new' }, [[clock.now(), 12]]);
    await clock.advance(5 * 60_000);
    await store.maintain();
    expect(read(store, named('up'), START, clock.now())).toEqual({ '__name__=up,pod=new': '12@446400' });
    await store.close();
    open({ retention: { timeMs: 24 * HOUR, bytes: 2 ** 30 } });
    await clock.advance(5 * 60_000);
    expect(store.stats().activeSeries).toBe(1);
  });

  it('by size removes the oldest first and keeps the file within its bound', async () => {
    const bytes = 700_000;
    open({ retention: { timeMs: 1000 * HOUR, bytes } });
    // Random values do not compress: about 9 bytes a sample.
    for (let hour = 0; hour < 40; hour += 1) {
      const from = clock.now();
      await write(
        store,
        { __name__: 'noise' },
        Array.from({ length: 3600 }, (_, i) => [from + i * 1000, Math.random()] as const),
      );
      await clock.advance(HOUR);
    }
    expect(store.stats().storedBytes).toBeLessThan(bytes * 1.3);
    const texts = read(store, named('noise'), START, START + 1000 * HOUR)['__name__=noise']!.split(' ');
    expect(texts.length).toBeGreaterThan(20_000);
    expect(Number(texts[0]!.split('@')[1])).toBeGreaterThan(3600);
    expect(Number(texts.at(-1)!.split('@')[1])).toBe(40 * 3600 - 1);
  });

  it('refuses samples from before its time and from a clock far ahead', async () => {
    open({ retention: { timeMs: 24 * HOUR, bytes: 2 ** 30 } });
    const committed = await write(store, { __name__: 'm' }, [
      [START - 25 * HOUR, 1],
      [START, 11],
      [START + 2 * HOUR, 2],
    ]);
    expect(committed).toMatchObject({ samples: 1, rejected: 2 });
    expect(read(store, named('m'))).toEqual({ '__name__=m': '11@0' });
  });

  it('keeps events and lives for times of their own', async () => {
    const about = eventOf('e', START) as Extract<AgentRecord, { kind: 'event' }>;
    const life = {
      kind: 'life',
      life: { id: 'l', finishedAt: START, container: 'app', pod: about.event.pod },
    } as AgentRecord;
    open({ retention: { timeMs: 24 * HOUR, bytes: 2 ** 30, eventsMs: 72 * HOUR, livesMs: 48 * HOUR } });
    await store.events.append([eventOf('e', START), life, podOf('s', START, { deleted: true })]);
    const left = () => ({
      events: store.events.events({}).length,
      lives: store.events.lives({}).length,
      states: store.events.pods({ deleted: true }).length,
    });
    await clock.advance(30 * HOUR);
    expect(left()).toEqual({ events: 1, lives: 1, states: 1 });
    await clock.advance(20 * HOUR);
    expect(left()).toEqual({ events: 1, lives: 0, states: 0 });
    await clock.advance(25 * HOUR);
    expect(left()).toEqual({ events: 0, lives: 0, states: 0 });
  });

  it('keeps a bounded number of events for a pod, the newest, and forgets deleted pods', async () => {
    open({ retention: { timeMs: 24 * HOUR, bytes: 2 ** 30 } });
    await store.events.append(Array.from({ length: 2500 }, (_, i) => eventOf(`e${i}`, START + i)));
    await store.events.append([podOf('s1', START, { deleted: true })]);
    await clock.advance(60_000);
    await store.maintain();
    const ids = store.events.events({ limit: 10_000 }).map(({ id }) => id);
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([2000, 'e2499', 'e500']);
    expect(store.events.pods({ deleted: true })).toHaveLength(1);
    await clock.advance(25 * HOUR);
    expect(store.events.events({})).toEqual([]);
    expect(store.events.pods({ deleted: true })).toEqual([]);
  });
});
