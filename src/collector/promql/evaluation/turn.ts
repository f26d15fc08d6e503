import type { Clock } from '../../../util/clock.ts';
import { CodedError } from '../../../util/coded-error.ts';

/** How long an evaluation may hold the thread at a stretch. */
const LONGEST_STRETCH_MS = 2;

/**
 * Shares the thread: an evaluation asks `isOver` in its loops and pauses when so. A pause, and `check`, reject when
 * the query was cancelled or took too long.
 */
export interface Turn {
  isOver(): boolean;
  pause(): Promise<void>;
  /** @throws QUERY_CANCELED, QUERY_TIMEOUT */
  check(): void;
  /** Says that the last turn is over. */
  end(): void;
}

/** Told the CPU time of each turn, in seconds. */
export type OnTurn = (cpuSeconds: number) => void;

export function createTurn(clock: Clock, timeoutMs: number, signal?: AbortSignal, onTurn?: OnTurn): Turn {
  const deadline = clock.monotonic() + timeoutMs;
  let began = clock.monotonic();
  let spent = onTurn === undefined ? 0 : cpuSeconds();
  const check = () => {
    if (signal?.aborted) {
      throw new CodedError('QUERY_CANCELED', 'query was canceled in expression evaluation', {
        status: 499,
        cause: signal.reason,
      });
    }
    if (clock.monotonic() > deadline) {
      throw new CodedError('QUERY_TIMEOUT', 'query timed out in expression evaluation', { status: 503 });
    }
  };
  return {
    isOver: () => clock.monotonic() - began > LONGEST_STRETCH_MS,
    async pause() {
      onTurn?.(cpuSeconds() - spent);
      await othersFirst();
      began = clock.monotonic();
      if (onTurn !== undefined) spent = cpuSeconds();
      check();
    },
    check,
    end: () => onTurn?.(cpuSeconds() - spent),
  };
}

/** Of this thread. */
function cpuSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

const waiting: (() => void)[] = [];

/**
 * Resolves after everybody else who waits for the thread had it: requests, timers, and those who asked before. Only
 * one goes on in each round of the event loop, so that many heavy queries delay others no longer than one does.
 */
export function othersFirst(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(next);
  });
}

function next(): void {
  waiting.shift()!();
  if (waiting.length > 0) setImmediate(next);
}

/** `fn` of each item, in turns. */
export async function mapInTurns<T, R>(items: readonly T[], turn: Turn, fn: (item: T) => R): Promise<R[]> {
  const out: R[] = [];
  for (const item of items) {
    if (turn.isOver()) await turn.pause();
    out.push(fn(item));
  }
  return out;
}
