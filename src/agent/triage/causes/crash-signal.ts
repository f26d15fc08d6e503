import { exitFact, lastLogFacts, ofLife, oomCounterFact } from '../citation.ts';
import { signalOf } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { manifestOf, previousLog } from '../next-step.ts';
import { signalName } from '../words.ts';

interface CrashSignal {
  readonly cause: string;
  readonly failureMode: 'F1' | 'F15';
  readonly meaning: string;
  readonly remedy: string;
}

/** Signals that the kernel sends a process for what it did itself. */
const CRASH_SIGNALS: Readonly<Record<number, CrashSignal>> = {
  4: {
    cause: 'IllegalInstruction',
    failureMode: 'F15',
    meaning: 'it ran an instruction that this CPU does not know',
    remedy: 'use an image built for this CPU',
  },
  6: {
    cause: 'AbortedAssertion',
    failureMode: 'F1',
    meaning: 'it aborted itself, as after a failed assertion',
    remedy: 'go back to the version that ran before',
  },
  7: {
    cause: 'SegmentationFault',
    failureMode: 'F1',
    meaning: 'it used memory that is not there (a mapped file that shrank, or a defect in native code)',
    remedy: 'go back to the version that ran before',
  },
  8: {
    cause: 'SegmentationFault',
    failureMode: 'F1',
    meaning: 'an arithmetic error in native code',
    remedy: 'go back to the version that ran before',
  },
  11: {
    cause: 'SegmentationFault',
    failureMode: 'F1',
    meaning: 'it used memory that is not its own: a defect in native code, or a library that does not fit',
    remedy: 'go back to the version that ran before',
  },
  31: {
    cause: 'SecurityDenied',
    failureMode: 'F1',
    meaning: 'seccomp forbade a system call it made',
    remedy: 'allow the system call, or do without it',
  },
};

/** The process crashed by itself: segmentation fault, abort, illegal instruction. */
export const crashSignal: FailureOf = (death) => {
  const { life } = death;
  const signal = signalOf(death);
  const crash = signal === undefined ? undefined : CRASH_SIGNALS[signal];
  if (signal === undefined || crash === undefined || life.killRequest !== null) return undefined;
  const counter = oomCounterFact(death);
  return {
    cause: crash.cause,
    failureMode: crash.failureMode,
    confidence: life.signal === undefined ? 'likely' : 'certain',
    summary: `Container ${life.container} was ended by ${signalName(signal)} (exit code ${life.exitCode}): ${crash.meaning}.`,
    evidence: [
      exitFact(death),
      ofLife(death, 'nobody asked for this kill'),
      ...(counter ? [counter] : []),
      ...lastLogFacts(death),
    ],
    next: [previousLog(life.pod, life.container), manifestOf(life.pod, crash.remedy)],
  };
};
