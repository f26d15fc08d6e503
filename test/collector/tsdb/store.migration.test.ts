import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createByteBlocks } from '../../../src/collector/tsdb/byte-blocks.ts';
import { labelsHash } from '../../../src/collector/tsdb/disk-series.ts';
import { boundsOf, createEventLog, recordsSchema } from '../../../src/collector/tsdb/event-log.ts';
import { samplesSchema } from '../../../src/collector/tsdb/samples-schema.ts';
import { createStore } from '../../../src/collector/tsdb/store.ts';
import { toStored } from '../../../src/collector/tsdb/stored-labels.ts';
import { appendSample, createXorChunk, xorBytes } from '../../../src/collector/tsdb/xor-chunk.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { encodeLabels, toLabels } from '../../../src/model/labels.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { cart, eventOf, podOf } from '../../conformance/store.ts';

describe('a file from before rows held several chunks', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-tsdb-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is read as it was, and goes on', async () => {
    const path = join(folder, 'collector.db');
    const clock = createFakeClock();
    const key = encodeLabels(toLabels({ __name__: 'old_total' }));
    const start = clock.now() - 3_600_000;
    const chunk = createXorChunk(createByteBlocks());
    const value = new Float64Array(1);
    const words = new Uint32Array(value.buffer);
    for (let i = 0; i < 5; i += 1) {
      value[0] = i / 3;
      appendSample(chunk, start + i * 1000, words[1]!, words[0]!);
    }
    const journal = openJournal(path, {
      clock,
      schemas: [{ name: samplesSchema.name, migrations: samplesSchema.migrations.slice(0, 1) }],
    });
    await journal.write(() => {
      journal.prepare('INSERT INTO series (ref, labels) VALUES (1, ?)').run(toStored(key));
      journal
        .prepare('INSERT INTO chunk (ref, min_t, max_t, count, body) VALUES (1, ?, ?, 5, ?)')
        .run(start, start + 4000, xorBytes(chunk).slice());
    });
    await journal.close();

    const store = createStore({ path, clock });
    const appender = store.appender();
    const ref = appender.reference(key);
    for (let i = 5; i < 200; i += 1) appender.append(ref, start + i * 1000, i / 3);
    await appender.commit();
    await clock.advance(2 * 3_600_000);
    await store.maintain();
    const [series] = store
      .querier()
      .select([{ name: '__name__', op: '=', value: 'old_total' }], start, clock.now());
    const { t, v, length } = series!.samples(start, clock.now());
    expect(length).toBe(200);
    expect([...v.subarray(0, length)]).toEqual(Array.from({ length: 200 }, (_, i) => i / 3));
    expect(t[199]).toBe(start + 199_000);
    await store.close();
  });
});

describe('a file from before rows had summaries', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-tsdb-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('tells a range as it was, and keeps what it found out', async () => {
    const path = join(folder, 'collector.db');
    const clock = createFakeClock();
    const key = encodeLabels(toLabels({ __name__: 'old_total' }));
    const start = clock.now() - 86_400_000;
    const store = createStore({ path, clock });
    const appender = store.appender();
    for (let i = 0; i < 1_000; i += 1) appender.append(appender.reference(key), start + i * 15_000, i / 3);
    await appender.commit();
    await store.maintain();
    await store.close();
    const rows = async (sql: string) => {
      const journal = openJournal(path, { clock, schemas: [samplesSchema] });
      const found = await journal.write(() => journal.prepare(sql).all());
      await journal.close();
      return found;
    };
    await rows('DELETE FROM summary');

    const reopened = createStore({ path, clock });
    const [series] = reopened
      .querier()
      .select([{ name: '__name__', op: '=', value: 'old_total' }], start, clock.now());
    for (let i = 0; i < 2; i += 1)
      expect(series!.summary!(start, clock.now())).toMatchObject({
        count: 1_000,
        firstV: 0,
        lastV: 333,
        changes: 999,
      });
    await reopened.maintain();
    await reopened.close();
    const [{ n }] = (await rows('SELECT count(*) AS n FROM summary')) as [{ n: number }];
    expect(n).toBeGreaterThan(0);
  });
});

describe('a file from before series were found by a hash', () => {
  it('gives a series that was only on disk its number and samples back, before and after the hashes are made', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podvitals-tsdb-'));
    try {
      const path = join(folder, 'collector.db');
      const clock = createFakeClock();
      const keys = ['gone_total', 'other_total'].map((name) => encodeLabels(toLabels({ __name__: name })));
      const journal = openJournal(path, {
        clock,
        schemas: [{ name: samplesSchema.name, migrations: samplesSchema.migrations.slice(0, 4) }],
      });
      const at = clock.now() - 3 * 3_600_000;
      const chunk = createXorChunk(createByteBlocks());
      appendSample(chunk, at, 0, 0);
      await journal.write(() => {
        for (const [i, key] of keys.entries()) {
          journal
            .prepare('INSERT INTO series (ref, labels, dropped, min_t, max_t) VALUES (?, ?, 1, ?, ?)')
            .run(i + 5, toStored(key), at, at);
          journal
            .prepare('INSERT INTO chunk (ref, min_t, max_t, count, body) VALUES (?, ?, ?, 1, ?)')
            .run(i + 5, at, at, xorBytes(chunk).slice());
        }
      });
      await journal.close();

      const store = createStore({ path, clock });
      expect(store.appender().reference(keys[0]!)).toBe(5);
      await store.maintain();
      expect(store.appender().reference(keys[1]!)).toBe(6);
      await store.close();
      const after = openJournal(path, { clock, schemas: [samplesSchema] });
      const rows = after.prepare('SELECT hash FROM series ORDER BY ref').all();
      await after.close();
      expect(rows.map(({ hash }) => hash)).toEqual(keys.map((key) => labelsHash(toStored(key))));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a file from before events were found by what they say', () => {
  it('finds its events, and passes over one whose body is damaged', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podvitals-tsdb-'));
    try {
      const path = join(folder, 'collector.db');
      const clock = createFakeClock();
      const journal = openJournal(path, {
        clock,
        schemas: [{ name: recordsSchema.name, migrations: recordsSchema.migrations.slice(0, 2) }],
      });
      const at = clock.now();
      const scaled = eventOf('e2', at, { object: { kind: 'Deployment', name: 'cart' }, reason: 'Scaled' });
      const bodies = [eventOf('e1', at), scaled].map((record) => JSON.stringify(record));
      await journal.write(() => {
        const add = journal.prepare(
          `INSERT INTO record (id, kind, at, namespace, pod, uid, workload, container, body)
           VALUES (?, ?, ?, 'shop', 'cart-1', 'u1', 'cart', '', ?)`,
        );
        for (const [i, body] of [...bodies, '{"kind": "event", "ev'].entries())
          add.run(`e${i + 1}`, 'event', at + i, body);
        add.run('l1', 'life', at, JSON.stringify({ kind: 'life', life: { reason: 'Died' } }));
      });
      await journal.close();

      const store = createStore({ path, clock });
      const ids = async (query: { reason?: string; type?: string; object?: string }) =>
        (await store.events.searchEvents(query)).map(({ id }) => id);
      expect(await ids({ reason: 'died' })).toEqual(['e1']);
      expect(await ids({ object: 'Deployment' })).toEqual(['e2']);
      expect(await ids({ type: 'Warning', object: 'Pod' })).toEqual(['e1']);
      expect(store.state().damage).toBeUndefined();
      await store.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a file from before states were found by their age', () => {
  it('keeps its states and takes the oldest of the deleted first, by an index', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podvitals-tsdb-'));
    try {
      const path = join(folder, 'collector.db');
      const clock = createFakeClock();
      const old = openJournal(path, {
        clock,
        schemas: [{ name: recordsSchema.name, migrations: recordsSchema.migrations.slice(0, 3) }],
      });
      const stateOf = (uid: string, at: number, deleted: boolean) =>
        podOf(`${uid}-${at}`, at, { pod: { ...cart, name: uid, uid }, deleted });
      const at = clock.now() - 1_000;
      // As that version wrote them: neither in the order of their age, nor the deleted ones together.
      const states = [
        stateOf('runs-old', at, false),
        stateOf('gone-new', at + 400, true),
        stateOf('gone-old', at + 100, true),
        stateOf('runs-new', at + 500, false),
        stateOf('gone-middle', at + 200, true),
      ];
      await createEventLog(old, boundsOf({ timeMs: 86_400_000, bytes: 0 })).append(states);
      const indices = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'state'";
      expect(
        old
          .prepare(indices)
          .all()
          .map(({ name }) => name),
      ).not.toContain('state_by_age');
      await old.close();

      const journal = openJournal(path, { clock, schemas: [recordsSchema] });
      const bounds = { ...boundsOf({ timeMs: 86_400_000, bytes: 0 }), states: 3 };
      const events = createEventLog(journal, bounds);
      const pods = () =>
        events
          .pods({ deleted: true })
          .map(({ pod }) => pod.name)
          .sort();
      expect(pods()).toEqual(['gone-middle', 'gone-new', 'gone-old', 'runs-new', 'runs-old']);
      const plan = journal
        .prepare('EXPLAIN QUERY PLAN SELECT kind, key FROM state ORDER BY deleted DESC, at LIMIT 1')
        .all();
      expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('state_by_age')]);
      await events.prune(clock.now());
      expect(pods()).toEqual(['gone-new', 'runs-new', 'runs-old']);
      // What it knew by id it still knows, and the newest state of a pod still takes the place of the one before.
      expect(await events.append([states[0]!])).toEqual([]);
      await events.append([stateOf('runs-old', at + 600, true)]);
      await events.prune(clock.now());
      expect(pods()).toEqual(['gone-new', 'runs-new', 'runs-old']);
      await journal.close();

      const again = openJournal(path, { clock, schemas: [recordsSchema] });
      const version = again.prepare("SELECT version FROM schema_version WHERE name = 'records'").get();
      expect(version?.version).toBe(recordsSchema.migrations.length);
      await again.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
