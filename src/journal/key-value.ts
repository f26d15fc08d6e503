import type { Journal } from './journal.ts';
import type { SalvageRow } from './salvage.ts';
import type { Schema } from './schema.ts';

export const keyValueSchema: Schema = {
  name: 'key_value',
  migrations: ['CREATE TABLE key_value (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID'],
};

/** For a journal that holds facts: whether a row of theirs is what was written, as far as that can be told. */
export function isSoundFact(table: string, row: SalvageRow): boolean {
  if (table !== 'key_value') return true;
  try {
    JSON.parse(String(row.value));
    return true;
  } catch {
    return false;
  }
}

/** Small durable facts by name. Values are JSON; a fact is visible once it is durable. */
export interface DurableKeyValue {
  get(key: string): unknown;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Entries whose key starts with `prefix`, in key order. */
  entries(prefix: string): readonly (readonly [key: string, value: unknown])[];
}

/** Needs `keyValueSchema` in the journal. */
export function createKeyValue(journal: Journal): DurableKeyValue {
  const get = journal.prepare('SELECT value FROM key_value WHERE key = ?');
  const set = journal.prepare('INSERT OR REPLACE INTO key_value (key, value) VALUES (?, ?)');
  const remove = journal.prepare('DELETE FROM key_value WHERE key = ?');
  const entries = journal.prepare(
    'SELECT key, value FROM key_value WHERE key >= ?1 AND substr(key, 1, length(?1)) = ?1 ORDER BY key',
  );
  const parsed = (key: unknown, value: unknown): unknown => {
    try {
      return JSON.parse(String(value));
    } catch {
      journal.foundDamage(`the fact ${String(key)} is not what was written`);
      return undefined;
    }
  };
  return {
    get(key) {
      const row = journal.read(() => get.get(key));
      return row === undefined ? undefined : parsed(key, row.value);
    },
    async set(key, value) {
      const text = JSON.stringify(value ?? null);
      await journal.write(() => void set.run(key, text));
    },
    async delete(key) {
      await journal.write(() => void remove.run(key));
    },
    entries: (prefix) =>
      journal
        .read(() => entries.all(prefix))
        .map((row) => [String(row.key), parsed(row.key, row.value)] as const)
        .filter(([, value]) => value !== undefined),
  };
}

/** Facts in a part of their own: keys are those of `keyValue` with `prefix` before them. */
export function keyValueBelow(keyValue: DurableKeyValue, prefix: string): DurableKeyValue {
  return {
    get: (key) => keyValue.get(prefix + key),
    set: (key, value) => keyValue.set(prefix + key, value),
    delete: (key) => keyValue.delete(prefix + key),
    entries: (below) =>
      keyValue.entries(prefix + below).map(([key, value]) => [key.slice(prefix.length), value] as const),
  };
}
