import { closeSync, constants, openSync, readlinkSync, readSync } from 'node:fs';
import { openTracefs, openTraceInstance } from './tracefs.ts';

/** A signal that a process sent, as the kernel traced it: by `kill` and its like, never by the kernel itself. */
export interface SentSignal {
  readonly kind: 'signal';
  readonly signal: number;
  readonly target: number;
  readonly targetCommand: string;
  readonly sender: number;
  readonly senderCommand: string;
  /** Milliseconds on the kernel's monotonic clock. */
  readonly monotonicMs: number;
}

/** A process was made: who sent a signal is often gone a moment later, and who made it is not. */
export interface Fork {
  readonly kind: 'fork';
  readonly parent: number;
  readonly child: number;
}

export interface SignalTrace {
  /** What happened since the last call, oldest first; where too much did, the oldest of it is lost. */
  read(): readonly (SentSignal | Fork)[];
  close(): void;
}

// By kill, sigqueue or tgkill, not by a timer; 17, 18, 23, 28 end nobody. Source: asm-generic/siginfo.h
const FILTER = '(code==0 || code==-1 || code==-6) && sig<=31 && sig!=17 && sig!=18 && sig!=23 && sig!=28';
const BUFFER_KIB_A_CPU = 128;
const MOST_READS = 256;
const READ_BYTES = 65_536;
/** Source: include/linux/proc_ns.h, PROC_PID_INIT_INO */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';

/**
 * Follows signals between processes from now on. Undefined where it cannot: no root, no tracefs, or this process does
 * not see the host's pids, by which the kernel names them.
 */
export async function openSignalTrace(): Promise<SignalTrace | undefined> {
  if (!seesHostPids()) return undefined;
  const tracefs = await openTracefs();
  const instance =
    tracefs === undefined
      ? undefined
      : openTraceInstance(tracefs, {
          buffer_size_kb: String(BUFFER_KIB_A_CPU),
          trace_clock: 'mono',
          'events/signal/signal_generate/filter': FILTER,
          'events/signal/signal_generate/enable': '1',
          'events/sched/sched_process_fork/enable': '1',
        });
  if (!instance) return undefined;
  let pipe: number;
  try {
    pipe = openSync(instance.file('trace_pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    instance.close();
    return undefined;
  }
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let open = true;
  return {
    read: () => (open ? parseTrace(readAll(pipe, buffer)) : []),
    close() {
      if (!open) return;
      open = false;
      closeSync(pipe);
      instance.close();
    },
  };
}

function seesHostPids(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === FIRST_PID_NAMESPACE;
  } catch {
    return false;
  }
}

function readAll(pipe: number, buffer: Buffer): string {
  let text = '';
  for (let i = 0; i < MOST_READS; i += 1) {
    try {
      const count = readSync(pipe, buffer, 0, buffer.length, null);
      if (count === 0) break;
      text += buffer.toString('latin1', 0, count);
    } catch {
      // EAGAIN: nothing new.
      break;
    }
  }
  return text;
}

const SIGNAL =
  /^ {0,20}(.{0,16})-(\d{1,10}) +(?:\([ \d-]{1,12}\) +)?\[\d{1,5}\] +\S{1,12} +(\d{1,12}\.\d{1,9}): signal_generate: sig=(\d{1,3}) errno=-?\d{1,6} code=-?\d{1,6} comm=(.{0,16}) pid=(\d{1,10}) grp=\d/;
const FORK = /: sched_process_fork: comm=.{0,16} pid=(\d{1,10}) child_comm=.{0,16} child_pid=(\d{1,10})$/;

/**
 * Source: Documentation/trace/events.rst; include/trace/events/signal.h and sched.h
 *
 *     bash-811 [001] d..2. 5012.345678: signal_generate: sig=9 errno=0 code=0 comm=node pid=790 grp=1 res=0
 *     sh-811   [001] ..... 5012.345600: sched_process_fork: comm=sh pid=811 child_comm=sh child_pid=812
 */
export function parseTrace(text: string): readonly (SentSignal | Fork)[] {
  return text.split('\n').flatMap((line): readonly (SentSignal | Fork)[] => {
    const fork = FORK.exec(line);
    if (fork) return [{ kind: 'fork', parent: Number(fork[1]), child: Number(fork[2]) }];
    const sent = SIGNAL.exec(line);
    if (!sent) return [];
    return [
      {
        kind: 'signal',
        signal: Number(sent[4]),
        target: Number(sent[6]),
        targetCommand: sent[5]!,
        sender: Number(sent[2]),
        senderCommand: sent[1]!,
        monotonicMs: Math.round(Number(sent[3]) * 1000),
      },
    ];
  });
}
