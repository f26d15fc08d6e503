import type { Evidence } from '../../model/evidence.ts';
import type { Verdict } from '../../model/verdict.ts';
import { exitFact, logFact, oomCounterFact } from './citation.ts';
import { type Death, signalOf } from './death.ts';
import type { Finding } from './failure.ts';
import { absentVariableIn } from './log/absent-variable.ts';
import { type LogHint, logHint } from './log/log-cause.ts';
import type { LogCause } from './log/log-pattern.ts';
import { previousLog } from './next-step.ts';

// Sent from outside: what the log said last is then not why it ended.
const FROM_OUTSIDE: readonly (number | undefined)[] = [1, 2, 9, 15];
const FAULTS: readonly (number | undefined)[] = [4, 5, 7, 8, 11, 31];

/** What the log says, where the process ended of its own accord and not with 0; its causes in words are hints. */
export function hintOf(death: Death, cause: LogCause): LogHint | undefined {
  const { life } = death;
  const signal = signalOf(death);
  if (life.exitCode === 0 || life.killRequest !== null || FROM_OUTSIDE.includes(signal)) return undefined;
  // A fault of the machine's is the nearest cause, but for a runtime that ends itself by one when its heap is full.
  if (FAULTS.includes(signal) && cause !== 'HeapExhausted') return undefined;
  const hint = hintIn(death);
  return hint?.cause === cause ? hint : undefined;
}

// Every cause asks for the same log.
const known = new WeakMap<Death['life']['log'], LogHint | null>();

/** What the log points to; where that is no more than some error, a setting it names and the process did not have. */
function hintIn({ life }: Death): LogHint | undefined {
  const before = known.get(life.log);
  if (before !== undefined) return before ?? undefined;
  const hint = logHint(life.log);
  const absent =
    hint === undefined || hint.cause === 'AppError'
      ? absentVariableIn(life.log, life.config.envNames)
      : undefined;
  const found: LogHint | undefined = absent
    ? {
        cause: 'MissingConfig',
        language: 'any',
        line: absent.line,
        found: { variable: absent.variable },
        guess: true,
      }
    : hint;
  known.set(life.log, found ?? null);
  return found;
}

export interface LogVerdict {
  /** Left out: the hint's. */
  readonly cause?: string;
  readonly summary: string;
  /** A fact besides the log that says the same; without one the verdict is only likely. */
  readonly corroborated?: Evidence | undefined;
  readonly facts?: readonly Evidence[];
  readonly next: Verdict['next'];
}

/** A verdict that a line of the log points to. */
export function logVerdict(death: Death, hint: LogHint, verdict: LogVerdict): Finding {
  const { corroborated, facts = [] } = verdict;
  const mentionsMemory = /memory/i.test(hint.line.text);
  return {
    cause: verdict.cause ?? hint.cause,
    confidence: corroborated ? 'certain' : 'likely',
    summary: verdict.summary,
    evidence: [
      exitFact(death),
      logFact(death, hint.line),
      ...(corroborated ? [corroborated] : []),
      ...facts,
      ...(mentionsMemory ? [oomCounterFact(death) ?? []].flat() : []),
    ],
    next: [...verdict.next, previousLog(death.life.pod, death.life.container)],
  };
}
