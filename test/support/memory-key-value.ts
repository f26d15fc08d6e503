import type { DurableKeyValue } from '../../src/journal/key-value.ts';

/** Durable facts in memory, as JSON, so that nothing survives by being the same object. */
export function memoryKeyValue(): DurableKeyValue {
  const facts = new Map<string, string>();
  return {
    get: (key) => (facts.has(key) ? JSON.parse(facts.get(key)!) : undefined),
    set: async (key, value) => void facts.set(key, JSON.stringify(value)),
    delete: async (key) => void facts.delete(key),
    entries: (prefix) =>
      [...facts]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => [key, JSON.parse(value)] as const),
  };
}
