import type { Journal } from '../journal/journal.ts';
import { createQueue, type QueueEntry } from '../journal/queue.ts';
import type { Clock } from '../util/clock.ts';
import type { PodTransition } from './pod/transition.ts';

export interface TransitionInbox {
  /** Takes a transition; it is on disk as soon as what the pod manager writes in the same turn. */
  put(transition: PodTransition): void;
  /** Resolves when all that was put has been handled, or after `timeoutMs`. */
  settled(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface TransitionInboxOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** Must be repeatable: after a crash the transition it was at comes again. */
  readonly handle: (transition: PodTransition) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

const MOST_BYTES = 32 * 2 ** 20;
const MOST_AGE_MS = 24 * 3_600_000;
const RETRY_MS = 1_000;
/** Pods whose transitions are handled at the same time: each waits for the disk, and the disk takes all at once. */
const MOST_AT_ONCE = 64;

/**
 * What stands between a pod's change and its record, on disk, in order for each pod. A transition leaves it only when its records
 * are in the spool: an agent that is killed in between makes them again, under the same ids.
 */
export function createTransitionInbox(options: TransitionInboxOptions): TransitionInbox {
  const { journal, clock, handle, onError } = options;
  const queue = createQueue(journal, {
    name: 'transitions',
    clock,
    maxBytes: MOST_BYTES,
    maxAgeMs: MOST_AGE_MS,
    onDrop: (kind, items) =>
      onError(new Error(`${items} transitions (${kind}) were dropped: the inbox is full`)),
  });
  let draining: Promise<void> | undefined;
  let writing = 0;
  let closed = false;

  const handleOne = async ({ position, body }: QueueEntry) => {
    for (;;) {
      try {
        await handle(JSON.parse(Buffer.from(body).toString('utf8')) as PodTransition);
        return await queue.remove(position);
      } catch (error) {
        onError(error);
        if (closed) return;
        await new Promise<void>((resolve) => clock.setTimer(RETRY_MS, resolve, { unref: true }));
      }
    }
  };
  // Of one pod one after another; pods do not wait for each other.
  const drain = async () => {
    const pods = new Map<string, Promise<void>>();
    let last = 0;
    for (;;) {
      const entry = closed ? undefined : queue.peek(last);
      if (entry === undefined && pods.size === 0) return;
      if (entry === undefined || pods.size >= MOST_AT_ONCE) {
        await Promise.race(pods.values());
        continue;
      }
      last = entry.position;
      const uid = podOf(entry);
      const done = (pods.get(uid) ?? Promise.resolve())
        .then(() => (closed ? undefined : handleOne(entry)))
        .finally(() => {
          if (pods.get(uid) === done) pods.delete(uid);
        });
      pods.set(uid, done);
    }
  };
  const wake = () => {
    draining ??= drain().finally(() => {
      draining = undefined;
      // Something may have come between the last look and here.
      if (!closed && queue.peek() !== undefined) wake();
    });
  };
  wake();

  return {
    put(transition) {
      writing += 1;
      queue
        .push({ kind: transition.kind, items: 1, body: Buffer.from(JSON.stringify(transition)) })
        .catch(onError)
        .finally(() => {
          writing -= 1;
          wake();
        });
    },
    async settled(timeoutMs) {
      const end = clock.monotonic() + timeoutMs;
      while ((writing > 0 || draining !== undefined) && clock.monotonic() < end) {
        await new Promise<void>((resolve) => clock.setTimer(10, resolve));
      }
    },
    async close() {
      closed = true;
      await draining;
    },
  };
}

/** An entry that cannot be read is nobody's, and nobody waits for it. */
function podOf({ body, position }: QueueEntry): string {
  try {
    return (JSON.parse(Buffer.from(body).toString('utf8')) as PodTransition).pod.uid;
  } catch {
    return `unreadable ${position}`;
  }
}
