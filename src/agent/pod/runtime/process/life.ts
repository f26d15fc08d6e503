import { existsSync, type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../../../util/clock.ts';
import { readOomKills } from '../../../host/cgroup.ts';
import { isAlive } from '../../../host/process-identity.ts';
import type { ContainerExit, RunningContainer } from '../runtime.ts';
import { killLife } from './container.ts';
import type { ProcessHost } from './host.ts';
import { type Output, openOutput } from './output.ts';
import type { ContainerRecord } from './record.ts';

/** A record whose command took over. */
export type StartedRecord = ContainerRecord & Required<Pick<ContainerRecord, 'main' | 'shim' | 'startedAt'>>;

/** One life while the agent watches it. */
export interface Life {
  readonly record: StartedRecord;
  readonly output: Output;
  /** Resolves once, with the exit. */
  readonly ended: Promise<ContainerExit>;
  readonly exit: ContainerExit | undefined;
  /** Looks whether it has died: for a poll, where events might have been missed. */
  check(): void;
  /** As `check`, once in a while; in between only whether it seems to be there. */
  glance(): void;
  close(): void;
}

export function isStarted(record: ContainerRecord): record is StartedRecord {
  return record.main !== undefined && record.shim !== undefined && record.startedAt !== undefined;
}

export function asRunning(record: StartedRecord): RunningContainer {
  const { id, config, main, startedAt, cgroup } = record;
  const { podUid, name, attempt, stopSignal } = config;
  return Object.freeze({
    id,
    podUid,
    name,
    attempt,
    pid: main.pid,
    startedAt,
    cgroup,
    ...(stopSignal && { stopSignal }),
  });
}

/** Exit code when nobody was left to note the real one, as containerd has it. */
const UNKNOWN_EXIT_CODE = 255;

/** Signals of which the shell says nothing when a child dies by them. */
const SILENT_SIGNALS = new Set([2, 13]);

interface NotedExit {
  readonly exitCode: number;
  readonly finishedAt: number;
  readonly signal?: number;
}

/** The exit the shim wrote; undefined while there is none. */
export function readExit(folder: string): NotedExit | undefined {
  const path = join(folder, 'exit');
  if (!existsSync(path)) return undefined;
  const match = /^(\d+)\n$/.exec(readFileSync(path, 'utf8'));
  if (match === null) return undefined;
  const exitCode = Number(match[1]);
  const finishedAt = Math.floor(statSync(path).mtimeMs);
  const number = exitCode - 128;
  if (number < 1 || number > 64) return { exitCode, finishedAt };
  const said = (statSync(join(folder, 'signal'), { throwIfNoEntry: false })?.size ?? 0) > 0;
  return said || SILENT_SIGNALS.has(number)
    ? { exitCode, finishedAt, signal: number }
    : { exitCode, finishedAt };
}

/** How long a dead container's output may take to come to its end. */
const DRAIN_MS = 2000;
/** The shim notes the exit within a moment of the death; a shim that was killed itself never does. */
const NOTE_MS = 500;

/** Of so many glances one makes sure who the process is, and whether a word of its end was missed. */
const GLANCES_A_CHECK = 5;

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function toExit(record: StartedRecord, noted: NotedExit): ContainerExit {
  const { id, config, startedAt, cgroup } = record;
  const oomKills = readOomKills(cgroup);
  return Object.freeze({
    containerId: id,
    podUid: config.podUid,
    name: config.name,
    attempt: config.attempt,
    startedAt,
    finishedAt: Math.max(startedAt, noted.finishedAt),
    exitCode: noted.exitCode,
    ...(noted.signal === undefined ? {} : { signal: noted.signal }),
    ...(oomKills === undefined ? {} : { oomKills }),
  });
}

/** Watches one life's folder: its output into the log, its exit to whoever waits. */
export function watchLife(host: ProcessHost, record: StartedRecord, logPath: string): Life {
  const { podUid, name, attempt } = record.config;
  const folder = host.layout.life(podUid, name, attempt);
  const output = openOutput(folder, logPath, host.clock);
  const watchers: FSWatcher[] = [];
  let exit: ContainerExit | undefined;
  let ending = false;
  let closed = false;
  let missingSince: number | undefined;
  let glances = 0;
  const { promise: ended, resolve } = Promise.withResolvers<ContainerExit>();

  const stopWatching = () => {
    for (const watcher of watchers) watcher.close();
  };

  const drain = async () => {
    const end = host.clock.monotonic() + DRAIN_MS;
    for (;;) {
      const state = output.turn();
      if (state === 'ended' || closed) return;
      if (host.clock.monotonic() > end) return output.finish();
      await sleep(host.clock, state === 'more' ? 0 : 2);
    }
  };

  const end = async (noted: NotedExit) => {
    if (ending || closed) return;
    ending = true;
    // What its first process leaves behind dies with it, as with a pid namespace.
    await killLife(host, record);
    const counted = toExit(record, noted);
    await drain();
    if (closed) return;
    exit = counted;
    stopWatching();
    output.close();
    resolve(counted);
  };

  /** A life without first process and without note is over, too, but only after the shim had its chance. */
  const checkMissing = () => {
    if (isAlive(record.main) || isAlive(record.shim)) return;
    missingSince ??= host.clock.monotonic();
    if (host.clock.monotonic() - missingSince < NOTE_MS) {
      host.clock.setTimer(NOTE_MS, check, { unref: true });
      return;
    }
    void end({ exitCode: UNKNOWN_EXIT_CODE, finishedAt: host.clock.now() });
  };

  const check = () => {
    if (ending || closed) return;
    // Where watches tell of output there is no need to look.
    if (watchers.length < 2) output.nudge();
    const noted = readExit(folder);
    if (noted !== undefined) void end(noted);
    else checkMissing();
  };

  /** Most looks find what they found before: a process of that pid is most likely still the same. */
  const glance = () => {
    glances += 1;
    if (watchers.length < 2 || glances % GLANCES_A_CHECK === 0 || !exists(record.main.pid)) check();
  };

  /** Without watches (the host's limit of them is reached) the runtime's regular look must do. */
  const listen = (path: string, onEvent: (file: string | null) => void) => {
    try {
      const watcher = watch(path, (_, file) => onEvent(file));
      watchers.push(watcher.on('error', () => undefined));
    } catch {
      // ENOSPC, EMFILE.
    }
  };

  listen(folder, (file) => {
    if (file === 'exit') check();
  });
  listen(join(folder, 'output'), () => output.nudge());
  output.nudge();
  check();
  return {
    record,
    output,
    ended,
    get exit() {
      return exit;
    },
    check,
    glance,
    close() {
      closed = true;
      stopWatching();
      output.close();
    },
  };
}
