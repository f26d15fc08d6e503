import { existsSync, type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Clock, sleep } from '../../../../util/clock.ts';
import { isCodedError } from '../../../../util/coded-error.ts';
import type { PodmanClient } from '../../../engines/podman/podman-client.ts';
import { readOomKills } from '../../../host/cgroup.ts';
import { identifyProcess, isAlive, type ProcessIdentity } from '../../../host/process-identity.ts';
import type { ContainerExit, RunningContainer } from '../runtime.ts';
import { type Container, container as containerAnswer } from './answers.ts';

/** One life while the agent watches it. */
export interface Life {
  readonly running: RunningContainer;
  /** What Podman keeps to run it, for those who run something beside it. */
  readonly inspection: Container;
  /** Its first process; absent where it cannot be seen from here, or was gone at once. */
  readonly main: ProcessIdentity | undefined;
  /** Resolves once, with the exit. */
  readonly ended: Promise<ContainerExit>;
  readonly exit: ContainerExit | undefined;
  /** Looks whether it has died: cheap while its first process is there. */
  check(): void;
  /** Podman told of its death: of use when the container is gone before anybody could look. */
  told(exitCode: number, at: number): void;
  close(): void;
}

export interface LifeContext {
  readonly client: PodmanClient;
  readonly clock: Clock;
  readonly logger?: Pick<Logger, 'warn'>;
  /** The OOM kills of a life whose cgroup Podman removed before its counter was read; undefined: nobody knows. */
  readonly oomKills?: (life: RunningContainer) => number | undefined;
}

/** Exit code when nobody was left to tell the real one, as containerd has it. */
export const UNKNOWN_EXIT_CODE = 255;

const FIRST_RETRY_MS = 10;
const LAST_RETRY_MS = 1000;
/** How long the news of a death may take when the container itself is gone: Podman's event log is polled. */
const TOLD_WITHIN_MS = 3000;

const OVER: readonly string[] = ['exited', 'stopped', 'removing', 'dead'];

export const isOver = ({ State }: Container) => OVER.includes(State.Status);
/** Made, and never run. */
export const wasStarted = ({ State }: Container) => State.StartedAt !== undefined;

/** 128 + n is what conmon has for signal n; a program that exits so by itself cannot be told from it. */
export function exitOf(
  running: Omit<RunningContainer, 'pid' | 'cgroup'>,
  exitCode: number,
  finishedAt: number,
  oomKills?: number,
): ContainerExit {
  const signal = exitCode > 128 && exitCode <= 192 ? exitCode - 128 : undefined;
  return Object.freeze({
    containerId: running.id,
    podUid: running.podUid,
    name: running.name,
    attempt: running.attempt,
    startedAt: running.startedAt,
    finishedAt: Math.max(running.startedAt, finishedAt),
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    ...(oomKills === undefined ? {} : { oomKills }),
  });
}

export function watchLife(context: LifeContext, running: RunningContainer, inspection: Container): Life {
  const { client, clock } = context;
  const { promise: ended, resolve } = Promise.withResolvers<ContainerExit>();
  const main = running.pid > 0 ? identifyProcess(running.pid) : undefined;
  let watcher: FSWatcher | undefined;
  let exit: ContainerExit | undefined;
  let looking = false;
  let closed = false;
  let news: { readonly exitCode: number; readonly at: number } | undefined;
  let oomKills: number | undefined;

  const end = (exitCode: number, finishedAt: number) => {
    if (exit !== undefined || closed) return;
    exit = exitOf(running, exitCode, finishedAt, oomKills ?? context.oomKills?.(running));
    watcher?.close();
    resolve(exit);
  };

  /** The cgroup goes with the container: what it counted is read the moment its processes are gone. */
  const count = () => {
    oomKills = readOomKills(running.cgroup) ?? oomKills;
  };

  const look = async () => {
    const goneAt = clock.now();
    const lookedFrom = clock.monotonic();
    for (
      let delay = FIRST_RETRY_MS;
      !closed && exit === undefined;
      delay = Math.min(delay * 2, LAST_RETRY_MS)
    ) {
      try {
        const { State, ...rest } = await client.ask(
          { path: `/containers/${running.id}/json` },
          containerAnswer,
        );
        if (isOver({ State, ...rest })) return end(State.ExitCode, State.FinishedAt ?? goneAt);
        if (main === undefined || isAlive(main)) return;
      } catch (error) {
        const isGone = isCodedError(error) && error.status === 404;
        const waited = clock.monotonic() - lookedFrom;
        if (isGone && news !== undefined) return end(news.exitCode, news.at);
        if (isGone && waited > TOLD_WITHIN_MS) return end(UNKNOWN_EXIT_CODE, goneAt);
        // Podman's service may be away for a while: the death is told when it is back.
      }
      await sleep(clock, delay).catch(() => undefined);
    }
  };

  const check = () => {
    if (closed || exit !== undefined || looking) return;
    if (main !== undefined && isAlive(main)) return;
    count();
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  };

  const events = running.cgroup.unified && join(running.cgroup.unified, 'cgroup.events');
  if (events && existsSync(events)) {
    try {
      watcher = watch(events, check).on('error', () => undefined);
    } catch {
      // ENOSPC, EMFILE: the regular look and Podman's events must do.
    }
  }
  check();
  return {
    running,
    inspection,
    main,
    ended,
    get exit() {
      return exit;
    },
    check,
    told(exitCode, at) {
      news = { exitCode, at };
      check();
    },
    close() {
      closed = true;
      watcher?.close();
    },
  };
}
