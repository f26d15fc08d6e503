import type { PodmanEvent } from '../../../engines/podman/event-stream.ts';
import type { ContainerExit, RunningContainer } from '../runtime.ts';
import type { Container } from './answers.ts';
import { type Life, type LifeContext, watchLife } from './life.ts';

/** The lives an agent looks after, dead ones until they are removed: each death is told once. */
export interface WatchedLives {
  get(containerId: string): Life | undefined;
  of(podUid: string): readonly Life[];
  /** Watches a container that runs. */
  follow(running: RunningContainer, inspection: Container): Life;
  /** Takes note of one that nobody need watch. */
  add(life: Life): void;
  forget(containerId: string): void;
  onExit(listener: (exit: ContainerExit) => void): () => void;
  close(): Promise<void>;
}

/** Deaths are told by watches and events; this look is for what they might miss. */
const SWEEP_MS = 2000;

export function createWatchedLives(options: LifeContext): WatchedLives {
  const { client, clock, logger } = options;
  const lives = new Map<string, Life>();
  const listeners = new Set<(exit: ContainerExit) => void>();
  const closing = new AbortController();
  let cancelSweep: (() => void) | undefined;

  const tell = (exit: ContainerExit) => {
    for (const listener of listeners) {
      try {
        listener(exit);
      } catch (error) {
        logger?.warn({ err: error, container: exit.name }, 'a listener for exits failed');
      }
    }
  };
  const checkAll = () => {
    for (const life of lives.values()) life.check();
  };

  const sweep = () => {
    cancelSweep = clock.setTimer(
      SWEEP_MS,
      () => {
        checkAll();
        if (!closing.signal.aborted) sweep();
      },
      { unref: true },
    );
  };
  sweep();

  const onEvent = (event: PodmanEvent) => {
    const life = lives.get(event.id);
    if (life === undefined) return;
    if (event.action === 'died' && event.exitCode !== undefined) life.told(event.exitCode, event.nano / 1e6);
    else if (event.action === 'remove') life.check();
  };
  const listening = client.followEvents({
    clock,
    onEvent,
    onConnected: checkAll,
    onTrouble: (error, retryMs) =>
      logger?.warn({ err: error, retryMs }, 'Podman tells of no deaths for now; they are looked for'),
    onBadEvent: (error) => logger?.warn({ err: error }, 'an event of Podman could not be read'),
    signal: closing.signal,
  });

  return {
    get: (containerId) => lives.get(containerId),
    of: (podUid) => [...lives.values()].filter(({ running }) => running.podUid === podUid),
    follow(running, inspection) {
      const life = watchLife(options, running, inspection);
      lives.set(running.id, life);
      void life.ended.then((exit) => {
        if (!closing.signal.aborted) tell(exit);
      });
      return life;
    },
    add: (life) => void lives.set(life.running.id, life),
    forget(containerId) {
      lives.get(containerId)?.close();
      lives.delete(containerId);
    },
    onExit(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      closing.abort();
      cancelSweep?.();
      for (const life of lives.values()) life.close();
      lives.clear();
      listeners.clear();
      await listening;
    },
  };
}
