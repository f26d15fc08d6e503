import type { Evidence } from './evidence.ts';

export type FailureMode =
  | 'F1'
  | 'F2'
  | 'F3'
  | 'F4'
  | 'F5'
  | 'F6'
  | 'F7'
  | 'F8'
  | 'F9'
  | 'F10'
  | 'F11'
  | 'F12'
  | 'F13'
  | 'F14'
  | 'F15'
  | 'F16';

/** What someone can type next. The command is already quoted for a POSIX shell. */
export interface NextStep {
  readonly command: string;
  readonly why: string;
}

/**
 * What is wrong with a pod and how we know. `cause` is one word (`MissingConfig`, `OOMKilled`, …; `None` for a
 * healthy pod, `Unknown` when the facts do not decide, and then `summary` says what is missing). Every claim in
 * `summary` is backed by an entry of `evidence`.
 */
export interface Verdict {
  readonly cause: string;
  readonly failureMode: FailureMode | null;
  readonly confidence: 'certain' | 'likely' | 'unknown';
  readonly summary: string;
  readonly evidence: readonly Evidence[];
  readonly next: readonly NextStep[];
}
