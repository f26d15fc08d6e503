/**
 * What was sent to a store, what of it was acknowledged, and what must therefore be found: a writer's own memory,
 * apart from the store's. Things have a key (a series, a pod), a place in it (a time, an id) and a value.
 */
export interface Ledger {
  /** It is on its way: from now on it may be found. */
  send(key: string, place: number | string, value: string): void;
  /** The store said that it has it, or showed it: from now on it must be found. */
  acknowledge(key: string, place: number | string): void;
  /** Compares what was found of a key, in those places that `within` names, with what is known of them. */
  check(
    key: string,
    found: readonly (readonly [place: number | string, value: string])[],
    within?: (place: number | string) => boolean,
  ): void;
  readonly keys: Iterable<string>;
  readonly acknowledged: number;
  /** In words, the first hundred. */
  readonly violations: readonly string[];
}

const MOST_VIOLATIONS = 100;

interface Entry {
  readonly value: string;
  acknowledged: boolean;
}

export function createLedger(what: string): Ledger {
  const byKey = new Map<string, Map<number | string, Entry>>();
  const violations: string[] = [];
  let acknowledged = 0;
  const violated = (text: string) => {
    if (violations.length < MOST_VIOLATIONS) violations.push(`${what} ${text}`);
  };
  return {
    send(key, place, value) {
      const entries = byKey.get(key) ?? new Map<number | string, Entry>();
      byKey.set(key, entries);
      if (!entries.has(place)) entries.set(place, { value, acknowledged: false });
    },
    acknowledge(key, place) {
      const entry = byKey.get(key)?.get(place);
      if (entry === undefined || entry.acknowledged) return;
      entry.acknowledged = true;
      acknowledged += 1;
    },
    check(key, found, within = () => true) {
      const entries = byKey.get(key) ?? new Map<number | string, Entry>();
      const seen = new Set<number | string>();
      for (const [place, value] of found) {
        if (seen.has(place)) violated(`doubled: ${key} has ${place} twice`);
        seen.add(place);
        const entry = entries.get(place);
        if (entry === undefined) violated(`invented: ${key} has ${value} at ${place}, which nobody sent`);
        else if (entry.value !== value)
          violated(`changed: ${key} has ${value} at ${place}, sent was ${entry.value}`);
      }
      for (const [place, entry] of entries)
        if (entry.acknowledged && within(place) && !seen.has(place))
          violated(`lost: ${key} has nothing at ${place}, where ${entry.value} was acknowledged`);
    },
    get keys() {
      return byKey.keys();
    },
    get acknowledged() {
      return acknowledged;
    },
    violations,
  };
}
