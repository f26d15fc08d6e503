import type { CancelTimer, Clock } from '../../util/clock.ts';
import type { KeyValue } from './key-value.ts';

/**
 * Keeps facts durable at a bounded rate: `mark` writes within `delayMs`, `write` at once. Of several values of a
 * key only the newest is written; two writes of one key never overlap.
 */
export interface WriteBehind {
  mark(key: string, value: () => unknown): void;
  /** Resolves once the value as it is now, or a newer one, is durable. */
  write(key: string, value: () => unknown): Promise<void>;
  remove(key: string): Promise<void>;
  /** Writes all that is marked. */
  flush(): Promise<void>;
}

export function createWriteBehind(
  keyValue: KeyValue,
  clock: Clock,
  onError: (error: unknown) => void,
  delayMs = 1000,
): WriteBehind {
  const marked = new Map<string, () => unknown>();
  const chains = new Map<string, Promise<void>>();
  let cancel: CancelTimer | undefined;

  const enqueue = (key: string, work: () => Promise<void>): Promise<void> => {
    const before = chains.get(key) ?? Promise.resolve();
    const done = before.then(work);
    const settled = done.catch(onError).then(() => {
      if (chains.get(key) === settled) chains.delete(key);
    });
    chains.set(key, settled);
    return settled;
  };
  const write = (key: string, value: () => unknown) => {
    marked.set(key, value);
    return enqueue(key, async () => {
      const newest = marked.get(key);
      if (newest === undefined) return;
      marked.delete(key);
      await keyValue.set(key, newest());
    });
  };
  const flush = async () => {
    cancel?.();
    cancel = undefined;
    await Promise.all([...marked].map(([key, value]) => write(key, value)));
    await Promise.all(chains.values());
  };
  return {
    mark(key, value) {
      marked.set(key, value);
      cancel ??= clock.setTimer(delayMs, () => void flush(), { unref: true });
    },
    write,
    remove(key) {
      marked.delete(key);
      return enqueue(key, () => keyValue.delete(key));
    },
    flush,
  };
}
