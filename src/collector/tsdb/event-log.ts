import type { Journal } from '../../journal/journal.ts';
import type { Schema } from '../../journal/schema.ts';
import type { PodEvent } from '../../model/event.ts';
import type { Life } from '../../model/life.ts';
import type { AgentRecord, NodeState, PodState, WorkloadState } from '../../model/record.ts';
import type { EventLog, RecordQuery } from '../storage/storage.ts';
import { identityOf, type RecordIdentity } from './record-identity.ts';
import { isAsWritten, recordCheck } from './row-check.ts';

/**
 * Events and lives in `record`, each once; the newest state of each pod, workload and node in `state`. `crc` as in
 * row-check.ts; null in rows from before there was one.
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

export const DEFAULT_RECORD_BOUNDS: Omit<RecordBounds, 'eventsMs' | 'livesMs'> = {
  eventsPerPod: 2_000,
  livesPerPod: 50,
  events: 200_000,
  // A life is some 25 kB with its log lines and two minutes of vital signs.
  lives: 5_000,
  states: 20_000,
};

export interface DurableEventLog extends EventLog {
  /** Removes what is beyond the bounds. For inside `journal.write`. */
  prune(nowMs: number): void;
}

// A sender keeps what it could not send for a day; after that no state comes twice.
const SENT_AGAIN_WITHIN_MS = 24 * 3_600_000;
const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 10_000;

/** Needs `recordsSchema` in the journal. */
export function createEventLog(journal: Journal, bounds: RecordBounds): DurableEventLog {
  const sql = {
    addRecord: journal.prepare(
      `INSERT OR IGNORE INTO record (id, kind, at, namespace, pod, uid, workload, container, body, crc)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
    removeOld: journal.prepare('DELETE FROM record WHERE kind = ? AND at < ?'),
    removeSurplus: journal.prepare(
      `DELETE FROM record WHERE id IN (SELECT id FROM record WHERE kind = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)`,
    ),
    crowdedPods: journal.prepare('SELECT uid FROM record WHERE kind = ? GROUP BY uid HAVING count(*) > ?'),
    removePodSurplus: journal.prepare(
      `DELETE FROM record WHERE id IN
         (SELECT id FROM record WHERE kind = ?1 AND uid = ?2 ORDER BY at DESC LIMIT -1 OFFSET ?3)`,
    ),
    removeDeletedStates: journal.prepare('DELETE FROM state WHERE deleted = 1 AND at < ?'),
    removeSurplusStates: journal.prepare(
      `DELETE FROM state WHERE (kind, key) IN
         (SELECT kind, key FROM state ORDER BY deleted, at DESC LIMIT -1 OFFSET ?)`,
    ),
    removeSeen: journal.prepare('DELETE FROM state_seen WHERE at < ?'),
  };
  const listeners = new Set<(records: readonly AgentRecord[]) => void>();

  // Answers whether the record is new.
  const insert = (record: AgentRecord): boolean => {
    const one = identityOf(record);
    const body = JSON.stringify(record);
    const crc = recordCheck(one.id, body);
    const about = [one.namespace, one.pod, one.uid, one.workload, one.container] as const;
    if (one.key === undefined)
      return sql.addRecord.run(one.id, one.kind, one.at, ...about, body, crc).changes === 1;
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
    for (const [column, value] of conditions(query)) {
      where.push(column);
      values.push(value);
    }
    if (!deleted) where.push('deleted = 0');
    const limit = Math.min(Math.max(0, query.limit ?? DEFAULT_LIMIT), HIGHEST_LIMIT);
    const text = `SELECT id, body, crc FROM ${from} WHERE ${where.join(' AND ')} ORDER BY at DESC LIMIT ${Math.trunc(limit)}`;
    const rows = journal.read(() => journal.prepare(text).all(...values));
    return rows.flatMap(recordIn);
  };

  return {
    async append(records) {
      if (records.length === 0) return [];
      const fresh = await journal.write(() => records.filter(insert));
      if (fresh.length > 0) for (const listener of [...listeners]) listener(fresh);
      return fresh;
    },
    events: (query) => find('record', 'event', query).map((record) => (record as { event: PodEvent }).event),
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
    prune(nowMs) {
      for (const [kind, timeMs, perPod, whole] of [
        ['event', bounds.eventsMs, bounds.eventsPerPod, bounds.events],
        ['life', bounds.livesMs, bounds.livesPerPod, bounds.lives],
      ] as const) {
        sql.removeOld.run(kind, nowMs - timeMs);
        for (const row of sql.crowdedPods.all(kind, perPod))
          sql.removePodSurplus.run(kind, String(row.uid), perPod);
        sql.removeSurplus.run(kind, whole);
      }
      const cutoff = nowMs - bounds.livesMs;
      sql.removeDeletedStates.run(cutoff);
      sql.removeSurplusStates.run(bounds.states);
      sql.removeSeen.run(Math.max(cutoff, nowMs - SENT_AGAIN_WITHIN_MS));
    },
  };
}

// Of events only.
const IN_EVENT = {
  object: "body ->> '$.event.object.kind', 'Pod'",
  type: "body ->> '$.event.type', ''",
  reason: "body ->> '$.event.reason', ''",
};

function conditions(query: RecordQuery): (readonly [sql: string, value: string | number])[] {
  const found: (readonly [string, string | number])[] = [];
  for (const name of ['namespace', 'pod', 'uid', 'workload', 'container'] as const)
    if (query[name] !== undefined) found.push([`${name} = ?`, query[name]]);
  // A damaged body is no JSON, and must not fail the others.
  for (const [name, path] of Object.entries(IN_EVENT) as [keyof typeof IN_EVENT, string][])
    if (query[name] !== undefined)
      found.push([`CASE WHEN json_valid(body) THEN coalesce(${path}) END = ? COLLATE NOCASE`, query[name]]);
  if (query.sinceMs !== undefined) found.push(['at >= ?', query.sinceMs]);
  if (query.untilMs !== undefined) found.push(['at <= ?', query.untilMs]);
  return found;
}
