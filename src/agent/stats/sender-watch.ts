import type { SignalSender } from '../../model/life.ts';
import type { CgroupPaths } from '../host/cgroup.ts';
import { cgroupOfProcess } from '../host/process-cgroup.ts';
import { originOf, type ProcessOrigin, userName } from '../host/process-origin.ts';
import type { SentSignal, SignalTrace } from '../host/signal-trace.ts';

/** A life and its first process. */
export interface WatchedLife {
  readonly containerId: string;
  readonly container: string;
  readonly pod: { readonly uid: string; readonly namespace: string; readonly name: string };
  readonly pid: number;
}

/** Who sent the signals that end lives: no engine and no kubelet records that. */
export interface SenderWatch {
  started(life: WatchedLife): void;
  /** A user runs a command in a container: by this process, or by what comes of it. */
  ran(pid: number): void;
  /** Once a life, at its end. Undefined: nobody sent one, or who did cannot be told. */
  ended(end: {
    readonly containerId: string;
    readonly finishedAt: number;
    readonly exitCode: number;
    readonly signal?: number;
  }): SignalSender | undefined;
  /** Nobody has sent the first process of a life that goes on a signal since it began; false where that cannot be told. */
  isUntouched(containerId: string): boolean;
  close(): void;
}

export interface SenderWatchOptions {
  /** Undefined: cannot be traced here; nothing is known then. */
  readonly trace: SignalTrace | undefined;
  readonly now: () => number;
  /** Milliseconds on the kernel's monotonic clock. */
  readonly kernelNow: () => number;
  readonly processes?: {
    readonly cgroup: (pid: number) => CgroupPaths;
    readonly origin: (pid: number) => ProcessOrigin | undefined;
    readonly user: (uid: number) => string;
  };
}

const MOST_LIVES = 2048;
const MOST_FORKS = 8192;
const MOST_SIGNALS = 512;
const MOST_ANCESTORS = 64;
const MOST_COMMANDS = 256;
// A first process may take its time to end; of a child, its parent takes note at once.
const MAIN_WINDOW_MS = 60_000;
const CHILD_WINDOW_MS = 10_000;
// Asks to end, which a program may answer with an exit code of its own.
const REQUESTS: readonly number[] = [2, 3, 15];

interface Life extends WatchedLife {
  readonly cgroup: string | undefined;
}
type Place = { readonly life: Life } | 'node';

export function createSenderWatch(options: SenderWatchOptions): SenderWatch {
  const { trace, now, kernelNow } = options;
  const { cgroup, origin, user } = options.processes ?? {
    cgroup: cgroupOfProcess,
    origin: originOf,
    user: userName,
  };
  const lives = new Map<string, Life>();
  const parents = new Map<number, number>();
  /** Processes by which users ran commands, the newest last. */
  const commands = new Set<number>();
  let signals: SentSignal[] = [];

  const readTrace = () => {
    for (const event of trace?.read() ?? []) {
      if (event.kind === 'signal') signals.push(event);
      else {
        parents.delete(event.child);
        parents.set(event.child, event.parent);
      }
    }
    signals = signals.slice(-MOST_SIGNALS);
    for (const child of parents.keys()) {
      if (parents.size <= MOST_FORKS) break;
      parents.delete(child);
    }
  };

  /** A process and those it came of, as far as they are known, itself first. */
  const lineOf = (pid: number): readonly number[] => {
    const line = [pid];
    while (line.length < MOST_ANCESTORS) {
      const last = line.at(-1)!;
      const parent = parents.get(last) ?? origin(last)?.parent;
      if (parent === undefined || parent <= 0 || line.includes(parent)) break;
      line.push(parent);
    }
    return line;
  };

  /** Where a process ran: by its cgroup while it is there, else where what made it runs. */
  const placeOf = (line: readonly number[]): Place | undefined => {
    const all = [...lives.values()].toReversed();
    for (const pid of line) {
      const first = all.find((life) => life.pid === pid);
      if (first) return { life: first };
      const path = pathOf(cgroup(pid));
      if (path === undefined) continue;
      const life = all.find((candidate) => candidate.cgroup !== undefined && lies(path, candidate.cgroup));
      return life ? { life } : 'node';
    }
    return undefined;
  };

  const isOf = (life: Life, { target }: SentSignal): boolean => {
    if (target === life.pid) return true;
    const place = placeOf(lineOf(target));
    return place !== undefined && place !== 'node' && place.life === life;
  };

  const findSent = (life: Life, signal: number | undefined): SentSignal | undefined => {
    const sentTo = (main: boolean, wanted: readonly number[], windowMs: number) =>
      signals.findLast(
        (sent) =>
          wanted.includes(sent.signal) &&
          kernelNow() - sent.monotonicMs <= windowMs &&
          (main ? sent.target === life.pid : sent.target !== life.pid && isOf(life, sent)),
      );
    if (signal === undefined) {
      const asked = sentTo(true, REQUESTS, MAIN_WINDOW_MS);
      return asked?.sender === asked?.target ? undefined : asked;
    }
    return sentTo(true, [signal], MAIN_WINDOW_MS) ?? sentTo(false, [signal], CHILD_WINDOW_MS);
  };

  const describe = (life: Life, sent: SentSignal): SignalSender | undefined => {
    const line = lineOf(sent.sender);
    const place = line.some((pid) => commands.has(pid)) ? 'exec' : placeOf(line);
    if (place === undefined) return undefined;
    return {
      at: now() - Math.max(0, Math.round(kernelNow() - sent.monotonicMs)),
      signal: sent.signal,
      pid: sent.sender,
      command: sent.senderCommand,
      target: {
        pid: sent.target,
        command: sent.targetCommand,
        mainProcess: sent.target === life.pid,
      },
      ...whereabouts(life, sent, place, line),
    };
  };

  const whereabouts = (
    life: Life,
    { sender, target }: SentSignal,
    place: Place | 'exec',
    line: readonly number[],
  ): Pick<SignalSender, 'place' | 'container' | 'pod' | 'user'> => {
    if (sender === target) return { place: 'itself' };
    if (place === 'exec') return { place };
    if (place === 'node') return { place, ...userOf(line) };
    if (place.life === life)
      return { place: lineOf(target).slice(1).includes(sender) ? 'parent' : 'container' };
    const { container, pod } = place.life;
    if (pod.uid === life.pod.uid) return { place: 'pod', container };
    return { place: 'other-pod', container, pod: `${pod.namespace}/${pod.name}` };
  };

  const userOf = (line: readonly number[]): { readonly user?: string } => {
    for (const pid of line) {
      const found = origin(pid);
      if (found?.loginUid !== undefined) return { user: user(found.loginUid) };
      if (found?.hasTerminal) return { user: 'someone at a terminal' };
    }
    return {};
  };

  return {
    started(life) {
      if (lives.size >= MOST_LIVES) lives.delete(lives.keys().next().value!);
      lives.set(life.containerId, { ...life, cgroup: pathOf(cgroup(life.pid)) });
    },
    ran(pid) {
      commands.delete(pid);
      commands.add(pid);
      if (commands.size > MOST_COMMANDS) commands.delete(commands.values().next().value!);
    },
    ended({ containerId, exitCode, signal }) {
      const life = lives.get(containerId);
      if (!life || !trace) return undefined;
      readTrace();
      const by = signal ?? (exitCode > 128 && exitCode <= 128 + 64 ? exitCode - 128 : undefined);
      const sent = findSent(life, by);
      const sender = sent && describe(life, sent);
      lives.delete(containerId);
      return sender;
    },
    isUntouched(containerId) {
      const life = lives.get(containerId);
      if (!life || !trace || life.pid <= 0) return false;
      readTrace();
      const [oldest] = signals;
      // What no longer fits was dropped: it may have been the one.
      const allThere = signals.length < MOST_SIGNALS || kernelNow() - oldest!.monotonicMs > MAIN_WINDOW_MS;
      return allThere && !signals.some(({ target }) => target === life.pid);
    },
    close: () => trace?.close(),
  };
}

const pathOf = ({ memory, pids, unified }: CgroupPaths): string | undefined => memory ?? pids ?? unified;

const lies = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
