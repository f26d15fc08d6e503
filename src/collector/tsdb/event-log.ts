import type { Journal } from '../../journal/journal.ts';
import type { Schema } from '../../journal/schema.ts';
import type { PodEvent } from '../../model/event.ts';
import type { Life } from '../../model/life.ts';
import type { AgentRecord, NodeState, PodState, WorkloadState } from '../../model/record.ts';
import { nextTurn } from '../../util/turns.ts';
import type { EventLog, RecordQuery } from '../storage/storage.ts';
import type { Retention } from './limits.ts';
import { writeUntilDone } from './maintenance.ts';
import { identityOf, type RecordIdentity } from './record-identity.ts';
import { isAsWritten, recordCheck } from './row-check.ts';

// Of events, for who looks for them: what their bodies say. A damaged body is no JSON, and must not fail the others.
const FROM_BODY = `
  object = CASE WHEN json_valid(body) THEN coalesce(body ->> '$.event.object.kind', 'Pod') ELSE '' END,
  type = CASE WHEN json_valid(body) THEN coalesce(body ->> '$.event.type', '') ELSE '' END,
  reason = CASE WHEN json_valid(body) THEN coalesce(body ->> '$.event.reason', '') ELSE '' END`;

/**
 * Events and lives in `record`, each once; the newest state of each pod, workload and node in `state`. `crc` as in
 * row-check.ts; null in rows from before there was one. `object`, `type` and `reason` are null in lives, and in events
 * that a salvage took from a file without them, until `prune`.
 */
export const recordsSchema: Schema = {
  name: 'records',
  migrations: [
    `CREATE TABLE record (
       id TEXT PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, namespace TEXT NOT NULL, pod TEXT NOT NULL,
       uid TEXT NOT NULL, workload TEXT NOT NULL, container TEXT NOT NULL, body TEXT NOT NULL
     ) STRICT;
     CREATE INDEX record_by_time ON record (kind, at);
     CREATE INDEX record_by_pod ON record (kind, namespace, pod, at);
     CREATE INDEX record_by_uid ON record (kind, uid, at);
     CREATE INDEX record_by_workload ON record (kind, namespace, workload, at);
     CREATE TABLE state (
       kind TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, namespace TEXT NOT NULL,
       pod TEXT NOT NULL, uid TEXT NOT NULL, workload TEXT NOT NULL, container TEXT NOT NULL,
       deleted INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE state_seen (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE INDEX state_seen_by_time ON state_seen (at)`,
    `ALTER TABLE record ADD COLUMN crc INTEGER;
     ALTER TABLE state ADD COLUMN crc INTEGER`,
    `ALTER TABLE record ADD COLUMN object TEXT COLLATE NOCASE;
     ALTER TABLE record ADD COLUMN type TEXT COLLATE NOCASE;
     ALTER TABLE record ADD COLUMN reason TEXT COLLATE NOCASE;
     UPDATE record SET ${FROM_BODY} WHERE kind = 'event';
     CREATE INDEX record_by_object ON record (kind, object, at);
     CREATE INDEX record_by_type ON record (kind, type, at);
     CREATE INDEX record_by_reason ON record (kind, reason, at)`,
    'CREATE INDEX state_by_age ON state (deleted DESC, at)',
  ],
};

/** How many records are kept; the oldest go first. */
export interface RecordBounds {
  readonly eventsMs: number;
  readonly livesMs: number;
  readonly eventsPerPod: number;
  readonly livesPerPod: number;
  readonly events: number;
  readonly lives: number;
  readonly states: number;
}

const DEFAULT_RECORD_BOUNDS: Omit<RecordBounds, 'eventsMs' | 'livesMs'> = {
  eventsPerPod: 2_000,
  livesPerPod: 50,
  events: 200_000,
  // A life is some 25 kB with its log lines and two minutes of vital signs.
  lives: 5_000,
  states: 20_000,
};

/** What a store that keeps samples so long keeps of records. */
export const boundsOf = ({ timeMs, eventsMs = timeMs, livesMs = timeMs }: Retention): RecordBounds => ({
  ...DEFAULT_RECORD_BOUNDS,
  eventsMs,
  livesMs,
});

export interface DurableEventLog extends EventLog {
  /** Removes what is beyond the bounds, in turns. */
  prune(nowMs: number): Promise<void>;
}

// A sender keeps what it could not send for a day; after that no state comes twice.
const SENT_AGAIN_WITHIN_MS = 24 * 3_600_000;
// Looked at in a turn; some milliseconds.
const ROWS_A_TURN = 1_000;
const FOUND_A_TURN = 200;
const FILLED_AT_ONCE = 200;
const REMOVED_AT_ONCE = 100;
const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 10_000;

/** Needs `recordsSchema` in the journal. */
export function createEventLog(journal: Journal, bounds: RecordBounds): DurableEventLog {
  const sql = {
    addRecord: journal.prepare(
      `INSERT OR IGNORE INTO record
         (id, kind, at, namespace, pod, uid, workload, container, body, crc, object, type, reason)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    byRow: journal.prepare('SELECT id, body, crc FROM record WHERE rowid = ?'),
    fill: journal.prepare(
      `UPDATE record SET ${FROM_BODY} WHERE rowid IN
         (SELECT rowid FROM record WHERE kind = 'event' AND reason IS NULL LIMIT ${FILLED_AT_ONCE})`,
    ),
    addSeen: journal.prepare('INSERT OR IGNORE INTO state_seen (id, at) VALUES (?, ?)'),
    putState: journal.prepare(
      `INSERT INTO state (kind, key, id, at, namespace, pod, uid, workload, container, deleted, body, crc)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (kind, key) DO UPDATE SET
         id = excluded.id, at = excluded.at, namespace = excluded.namespace, pod = excluded.pod, uid = excluded.uid,
         workload = excluded.workload, deleted = excluded.deleted, body = excluded.body,
         crc = excluded.crc
       WHERE excluded.at >= state.at`,
    ),
    count: journal.prepare('SELECT count(*) AS n FROM record WHERE kind = ?'),
    countOfPod: journal.prepare('SELECT count(*) AS n FROM record WHERE kind = ? AND uid = ?'),
    removeOld: journal.prepare(
      `DELETE FROM record WHERE rowid IN
         (SELECT rowid FROM record WHERE kind = ? AND at < ? ORDER BY at LIMIT ${REMOVED_AT_ONCE})`,
    ),
    removeOldest: journal.prepare(
      'DELETE FROM record WHERE rowid IN (SELECT rowid FROM record WHERE kind = ? ORDER BY at LIMIT ?)',
    ),
    removeOldestOfPod: journal.prepare(
      `DELETE FROM record WHERE rowid IN
         (SELECT rowid FROM record WHERE kind = ? AND uid = ? ORDER BY at LIMIT ?)`,
    ),
    removeDeletedStates: journal.prepare(
      `DELETE FROM state WHERE (kind, key) IN
         (SELECT kind, key FROM state WHERE deleted = 1 AND at < ? LIMIT ${REMOVED_AT_ONCE})`,
    ),
    countStates: journal.prepare('SELECT count(*) AS n FROM state'),
    removeSurplusStates: journal.prepare(
      `DELETE FROM state WHERE (kind, key) IN
         (SELECT kind, key FROM state ORDER BY deleted DESC, at LIMIT ?)`,
    ),
    removeSeen: journal.prepare(
      `DELETE FROM state_seen WHERE id IN (SELECT id FROM state_seen WHERE at < ? LIMIT ${REMOVED_AT_ONCE * 10})`,
    ),
  };
  const listeners = new Set<(records: readonly AgentRecord[]) => void>();

  // Pods whose records became more since they were last pruned.
  const grown = { event: new Set<string>(), life: new Set<string>() };
  type Run = () => { readonly changes: number | bigint };

  /** Again and again, each time in a transaction of its own, until it changes fewer than it might. */
  const untilFewer = (most: number, run: Run) =>
    writeUntilDone(journal, () => Number(run().changes) === most);

  const removeBeyond = async (
    most: number,
    count: () => Record<string, unknown> | undefined,
    remove: (most: number) => unknown,
  ) => {
    let surplus = journal.read(() => Number(count()?.n)) - most;
    if (surplus <= 0) return;
    await writeUntilDone(journal, () => {
      remove(Math.min(surplus, REMOVED_AT_ONCE));
      surplus -= REMOVED_AT_ONCE;
      return surplus > 0;
    });
  };

  // Answers whether the record is new.
  const insert = (record: AgentRecord): boolean => {
    const one = identityOf(record);
    const body = JSON.stringify(record);
    const crc = recordCheck(one.id, body);
    const about = [one.namespace, one.pod, one.uid, one.workload, one.container] as const;
    if (one.kind === 'event' || one.kind === 'life') grown[one.kind].add(one.uid);
    if (one.key === undefined)
      return (
        sql.addRecord.run(one.id, one.kind, one.at, ...about, body, crc, ...aboutEvent(record)).changes === 1
      );
    if (sql.addSeen.run(one.id, one.at).changes === 0) return false;
    const put = sql.putState.run(one.kind, one.key, one.id, one.at, ...about, Number(one.deleted), body, crc);
    return put.changes === 1;
  };

  const recordIn = ({ id, body, crc }: Record<string, unknown>): readonly AgentRecord[] => {
    if (isAsWritten(crc, () => recordCheck(String(id), String(body)))) {
      try {
        const record = JSON.parse(String(body)) as AgentRecord | null;
        // A row that lost its columns has neither a check sum nor a body.
        if (record?.kind !== undefined) return [record];
      } catch {
        // From before there were check sums.
      }
    }
    journal.foundDamage('a record is not what was written');
    return [];
  };

  const find = (
    from: 'record' | 'state',
    kind: RecordIdentity['kind'],
    query: RecordQuery,
    deleted = true,
  ) => {
    const where = ['kind = ?'];
    const values: (string | number)[] = [kind];
    for (const [condition, value] of [
      ...whereNamed(query, from === 'record' ? [...OF_EVERY_RECORD, ...OF_EVENTS] : OF_EVERY_RECORD),
      ...between(query),
    ]) {
      where.push(condition);
      values.push(value);
    }
    if (!deleted) where.push('deleted = 0');
    const text = `SELECT id, body, crc FROM ${from} WHERE ${where.join(' AND ')} ORDER BY at DESC LIMIT ${limitOf(query)}`;
    const rows = journal.read(() => journal.prepare(text).all(...values));
    return rows.flatMap(recordIn);
  };

  /** Newest first, a stretch of what was looked at after another. */
  function* search(query: RecordQuery): Generator<readonly PodEvent[]> {
    const limit = limitOf(query);
    const { driving, rest } = narrowing(query);
    const looked = ["kind = 'event'", ...[...driving, ...between(query)].map(([condition]) => condition)];
    // An index finds them in the order of time; so many at a time are looked at for all else.
    const page = journal.prepare(
      `SELECT at, row, ${rest.map(([condition]) => condition).join(' AND ') || '1'} AS found FROM (
         SELECT at, rowid AS row, namespace, pod, uid, workload, container, object, type, reason FROM record
         WHERE ${looked.join(' AND ')} AND at <= ? AND (at < ? OR rowid < ?)
         ORDER BY at DESC, rowid DESC LIMIT ${ROWS_A_TURN})`,
    );
    const values = [...rest, ...driving, ...between(query)].map(([, value]) => value);
    let [at, row, count] = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 0];
    for (;;) {
      const rows = journal.read(() => page.all(...values, at, at, row));
      const found = rows.filter((one) => one.found === 1).slice(0, limit - count);
      count += found.length;
      for (let from = 0; from < found.length; from += FOUND_A_TURN)
        yield found.slice(from, from + FOUND_A_TURN).flatMap((one) => eventAt(Number(one.row)));
      if (rows.length < ROWS_A_TURN || count >= limit) return;
      yield [];
      [at, row] = [Number(rows.at(-1)!.at), Number(rows.at(-1)!.row)];
    }
  }

  const eventAt = (row: number): readonly PodEvent[] => {
    const found = journal.read(() => sql.byRow.get(row));
    // Removed since.
    if (found === undefined) return [];
    return recordIn(found).map((record) => (record as { event: PodEvent }).event);
  };

  return {
    async append(records) {
      if (records.length === 0) return [];
      const fresh = await journal.write(() => records.filter(insert));
      if (fresh.length > 0) for (const listener of [...listeners]) listener(fresh);
      return fresh;
    },
    events: (query) => find('record', 'event', query).map((record) => (record as { event: PodEvent }).event),
    async searchEvents(query) {
      const events: PodEvent[] = [];
      for (const some of search(query)) {
        events.push(...some);
        await nextTurn();
      }
      return events;
    },
    lives: (query) => find('record', 'life', query).map((record) => (record as { life: Life }).life),
    pods: (query) =>
      find('state', 'pod', query, query.deleted ?? false).map(
        (record) => (record as { state: PodState }).state,
      ),
    workloads: (query) =>
      find('state', 'workload', query, false).map((record) => (record as { state: WorkloadState }).state),
    nodes: () =>
      find('state', 'node', { limit: HIGHEST_LIMIT }).map((record) => (record as { state: NodeState }).state),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async prune(nowMs) {
      await untilFewer(FILLED_AT_ONCE, () => sql.fill.run());
      for (const [kind, timeMs, perPod, whole] of [
        ['event', bounds.eventsMs, bounds.eventsPerPod, bounds.events],
        ['life', bounds.livesMs, bounds.livesPerPod, bounds.lives],
      ] as const) {
        await untilFewer(REMOVED_AT_ONCE, () => sql.removeOld.run(kind, nowMs - timeMs));
        for (const uid of grown[kind]) {
          // What comes from here on counts for the next time.
          grown[kind].delete(uid);
          await removeBeyond(
            perPod,
            () => sql.countOfPod.get(kind, uid),
            (most) => sql.removeOldestOfPod.run(kind, uid, most),
          );
        }
        await removeBeyond(
          whole,
          () => sql.count.get(kind),
          (most) => sql.removeOldest.run(kind, most),
        );
      }
      const cutoff = nowMs - bounds.livesMs;
      await untilFewer(REMOVED_AT_ONCE, () => sql.removeDeletedStates.run(cutoff));
      await removeBeyond(
        bounds.states,
        () => sql.countStates.get(),
        (most) => sql.removeSurplusStates.run(most),
      );
      const seenBefore = Math.max(cutoff, nowMs - SENT_AGAIN_WITHIN_MS);
      await untilFewer(REMOVED_AT_ONCE * 10, () => sql.removeSeen.run(seenBefore));
    },
  };
}

const aboutEvent = (record: AgentRecord) => {
  if (record.kind !== 'event') return [null, null, null] as const;
  const { object, type, reason } = record.event;
  // Whatever an agent of another version left out.
  return [object?.kind ?? 'Pod', type ?? '', reason ?? ''] as const;
};

const limitOf = ({ limit = DEFAULT_LIMIT }: RecordQuery) =>
  Math.trunc(Math.min(Math.max(0, limit), HIGHEST_LIMIT));

type Condition = readonly [sql: string, value: string | number];

const OF_EVERY_RECORD = ['namespace', 'pod', 'uid', 'workload', 'container'] as const;
const OF_EVENTS = ['object', 'type', 'reason'] as const;

const whereNamed = (query: RecordQuery, names: readonly (keyof RecordQuery)[]) =>
  names.flatMap((name): Condition[] => (query[name] === undefined ? [] : [[`${name} = ?`, query[name]]]));

function between({ sinceMs, untilMs }: RecordQuery): readonly Condition[] {
  const found: Condition[] = [];
  if (sinceMs !== undefined) found.push(['at >= ?', sinceMs]);
  if (untilMs !== undefined) found.push(['at <= ?', untilMs]);
  return found;
}

// By each of these an index finds events in the order of time; those that find the fewest first.
const DRIVING = [
  ['uid'],
  ['namespace', 'pod'],
  ['namespace', 'workload'],
  ['reason'],
  ['object'],
  ['type'],
] as const;

/** What an index is asked for, and what is looked at in each row that it finds. */
function narrowing(query: RecordQuery): { readonly driving: Condition[]; readonly rest: Condition[] } {
  const names = [...OF_EVERY_RECORD, ...OF_EVENTS];
  const isAsked = (name: keyof RecordQuery) => query[name] !== undefined;
  // Nearly all events are of pods.
  const isOfPods = query.object?.toLowerCase() === 'pod';
  const best: readonly string[] =
    DRIVING.find((some) => some.every(isAsked) && !(isOfPods && some[0] === 'object')) ?? [];
  return {
    driving: whereNamed(
      query,
      names.filter((name) => best.includes(name)),
    ),
    rest: whereNamed(
      query,
      names.filter((name) => !best.includes(name)),
    ),
  };
}
