import type { Clock } from '../util/clock.ts';
import type { Journal } from './journal.ts';
import type { Schema } from './schema.ts';

export const queueSchema: Schema = {
  name: 'queue',
  migrations: [
    `CREATE TABLE queue (
       position INTEGER PRIMARY KEY AUTOINCREMENT,
       name TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, items INTEGER NOT NULL, body BLOB NOT NULL
     ) STRICT;
     CREATE INDEX queue_by_name ON queue (name, position)`,
  ],
};

/** Read at once; bodies may be large. */
const MOST_TOGETHER = 64;

export interface QueueEntry {
  readonly position: number;
  readonly kind: string;
  readonly at: number;
  /** How many things (points, records) the body holds: for the count of what is dropped. */
  readonly items: number;
  readonly body: Uint8Array;
}

export interface QueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** The oldest entries gave way to newer ones, or were too old. */
  readonly onDrop: (kind: string, items: number) => void;
}

/**
 * First in, first out, on disk, bounded in bytes and age: what is beyond either falls off the front when something is
 * pushed. Needs `queueSchema` in the journal.
 */
export interface DurableQueue {
  /** Resolves once the entry is durable. */
  push(entry: { readonly kind: string; readonly items: number; readonly body: Uint8Array }): Promise<void>;
  /** The oldest entry, or the oldest of those after a position. */
  peek(after?: number): QueueEntry | undefined;
  /** The oldest of one kind, as many as stay within both limits, but at least one; of those before a position. */
  oldest(
    kind: string,
    limits: { readonly items: number; readonly bytes: number },
    before?: number,
  ): readonly QueueEntry[];
  /** All of them at once, or none. */
  remove(...positions: readonly number[]): Promise<void>;
  readonly length: number;
  readonly bytes: number;
}

export function createQueue(journal: Journal, options: QueueOptions): DurableQueue {
  const { name, clock } = options;
  const insert = journal.prepare('INSERT INTO queue (name, kind, at, items, body) VALUES (?, ?, ?, ?, ?)');
  const remove = journal.prepare('DELETE FROM queue WHERE position = ?');
  const oldest = journal.prepare(
    'SELECT position, kind, at, items, body FROM queue WHERE name = ? AND position > ? ORDER BY position LIMIT 1',
  );
  const oldestOfKind = journal.prepare(
    `SELECT position, kind, at, items, body FROM queue
     WHERE name = ? AND kind = ? AND position < ? ORDER BY position LIMIT ?`,
  );
  const oldestHead = journal.prepare(
    'SELECT position, kind, at, items, length(body) AS bytes FROM queue WHERE name = ? ORDER BY position LIMIT 1',
  );
  const sums = journal.prepare(
    'SELECT count(*) AS length, coalesce(sum(length(body)), 0) AS bytes FROM queue WHERE name = ?',
  );
  let { length, bytes } = sums.get(name) as { length: number; bytes: number };

  const refresh = () => {
    ({ length, bytes } = sums.get(name) as { length: number; bytes: number });
  };

  // Inside a transaction. Answers what fell off the front.
  const trim = (roomFor: number): { kind: string; items: number }[] => {
    const dropped: { kind: string; items: number }[] = [];
    let left = bytes;
    for (;;) {
      const head = oldestHead.get(name) as
        | { position: number; kind: string; at: number; items: number; bytes: number }
        | undefined;
      if (head === undefined) return dropped;
      const tooOld = head.at < clock.now() - options.maxAgeMs;
      if (!tooOld && left + roomFor <= options.maxBytes) return dropped;
      remove.run(head.position);
      left -= head.bytes;
      dropped.push({ kind: head.kind, items: head.items });
    }
  };

  return {
    async push(entry) {
      if (entry.body.length > options.maxBytes) {
        options.onDrop(entry.kind, entry.items);
        return;
      }
      const dropped = await journal.write(() => {
        refresh();
        const fell = trim(entry.body.length);
        insert.run(name, entry.kind, clock.now(), entry.items, entry.body);
        return fell;
      });
      refresh();
      for (const one of dropped) options.onDrop(one.kind, one.items);
    },
    peek(after = 0) {
      return oldest.get(name, after) as QueueEntry | undefined;
    },
    oldest(kind, limits, before = Number.MAX_SAFE_INTEGER) {
      const found = oldestOfKind.all(name, kind, before, MOST_TOGETHER) as unknown as readonly QueueEntry[];
      let [items, size] = [0, 0];
      const end = found.findIndex((entry) => {
        items += entry.items;
        size += entry.body.length;
        return items > limits.items || size > limits.bytes;
      });
      return end < 0 ? found : found.slice(0, Math.max(1, end));
    },
    async remove(...positions) {
      await journal.write(() => {
        for (const position of positions) remove.run(position);
      });
      refresh();
    },
    get length() {
      return length;
    },
    get bytes() {
      return bytes;
    },
  };
}
