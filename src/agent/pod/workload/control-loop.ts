import type { CancelTimer, Clock } from '../../../util/clock.ts';

/** Brings one object's world in line with it; the result is when to look again if nothing happens before. */
export type Reconcile = (namespace: string, name: string) => number | undefined;

export interface ControlLoop<Kind extends string> {
  /** Looks at the object right after what is going on now, once however often it is asked. */
  soon(kind: Kind, namespace: string, name: string): void;
  /** Looks at the object now. */
  now(kind: Kind, namespace: string, name: string): void;
  close(): void;
}

const RETRY_MS = 10_000;
// setTimeout's own limit is 24.8 days.
const LONGEST_WAIT_MS = 86_400_000;

/** Calls controllers when something of their objects may have changed, and when time alone changes something. */
export function createControlLoop<Kind extends string>(options: {
  readonly clock: Clock;
  readonly controllers: Readonly<Record<Kind, Reconcile>>;
  readonly onError: (error: unknown) => void;
}): ControlLoop<Kind> {
  const { clock } = options;
  const dirty = new Map<string, () => void>();
  const timers = new Map<string, CancelTimer>();
  let flushing = false;
  let closed = false;

  function look(key: string, kind: Kind, namespace: string, name: string): void {
    dirty.delete(key);
    timers.get(key)?.();
    timers.delete(key);
    let wakeAt: number | undefined;
    try {
      wakeAt = options.controllers[kind](namespace, name);
    } catch (error) {
      options.onError(error);
      wakeAt = clock.now() + RETRY_MS;
    }
    if (wakeAt === undefined || closed) return;
    const delayMs = Math.min(Math.max(1, wakeAt - clock.now()), LONGEST_WAIT_MS);
    timers.set(
      key,
      clock.setTimer(delayMs, () => soon(kind, namespace, name), { unref: true }),
    );
  }

  function soon(kind: Kind, namespace: string, name: string): void {
    const key = `${kind}/${namespace}/${name}`;
    if (closed || dirty.has(key)) return;
    dirty.set(key, () => look(key, kind, namespace, name));
    if (flushing) return;
    flushing = true;
    // Several pods change together, and a change may come out of a worker's own turn.
    queueMicrotask(() => {
      flushing = false;
      for (const run of [...dirty.values()]) if (!closed) run();
    });
  }

  return {
    soon,
    now: (kind, namespace, name) => look(`${kind}/${namespace}/${name}`, kind, namespace, name),
    close() {
      closed = true;
      for (const cancel of timers.values()) cancel();
    },
  };
}
