import type { Evidence } from '../../../model/evidence.ts';
import type { LogLine } from '../../../model/life.ts';
import { exitFact, lastLogFacts, logFact, ofLife, oomCounterFact } from '../citation.ts';
import { type Death, signalOf } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { manifestOf, previousLog } from '../next-step.ts';
import { brief, signalName } from '../words.ts';

interface CrashSignal {
  readonly cause: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** Signals that the kernel sends a process for what it did itself. */
const CRASH_SIGNALS: Readonly<Record<number, CrashSignal>> = {
  4: {
    cause: 'IllegalInstruction',
    meaning: 'it ran an instruction that this CPU does not know',
    remedy: 'use an image built for this CPU',
  },
  6: {
    cause: 'AbortedAssertion',
    meaning: 'it aborted itself, as after a failed assertion',
    remedy: 'go back to the version that ran before',
  },
  7: {
    cause: 'SegmentationFault',
    meaning: 'it used memory that is not there (a mapped file that shrank, or a defect in native code)',
    remedy: 'go back to the version that ran before',
  },
  8: {
    cause: 'SegmentationFault',
    meaning: 'an arithmetic error in native code',
    remedy: 'go back to the version that ran before',
  },
  5: {
    cause: 'AbortedAssertion',
    meaning: 'it stopped itself at a check that must not fail',
    remedy: 'go back to the version that ran before',
  },
  11: {
    cause: 'SegmentationFault',
    meaning: 'it used memory that is not its own: a defect in native code, or a library that does not fit',
    remedy: 'go back to the version that ran before',
  },
  31: {
    cause: 'SecurityDenied',
    meaning: 'seccomp forbade a system call it made',
    remedy: 'allow the system call, or do without it',
  },
};

const SIGABRT = 6;
// How abort() ends a first process, which cannot be ended by a signal it sends itself: by a fault.
const INSTEAD_OF_ABORT: readonly (number | undefined)[] = [4, 5, 11];
const ABORT_WORDS =
  /\bAssert(?:ion)?\b.{0,300}\bfailed|^terminate called|Fatal Python error: Aborted|node::Abort|\babort\(\)|runtime: abort/i;
const ABORT_LINES = 40;

/** The line of an abort whose signal shows a fault. */
function abortLine(death: Death): LogLine | undefined {
  if (!INSTEAD_OF_ABORT.includes(signalOf(death))) return undefined;
  return death.life.log.slice(-ABORT_LINES).findLast(({ text }) => ABORT_WORDS.test(text.slice(0, 1000)));
}

/**
 * glibc and musl end a process that no SIGABRT can end, as a first process is, by an instruction that only the kernel
 * may run: a general protection fault in the C library itself. Source: glibc stdlib/abort.c, ABORT_INSTRUCTION.
 */
const isAbortFault = ({ life: { fault } }: Death): boolean =>
  fault?.kind === 'general protection fault' && /^(?:libc\b|ld-musl)/.test(fault.file ?? '');

/** A fault of which the kernel logged nothing, or not what: it may be how a first process aborts. */
const isUnseen = (death: Death): boolean =>
  INSTEAD_OF_ABORT.includes(signalOf(death)) && death.life.fault === undefined && death.life.log.length === 0;

function faultFacts(death: Death): readonly Evidence[] {
  const { fault } = death.life;
  if (!fault) return [];
  const where = fault.file === undefined ? '' : ` in ${brief(fault.file, 80)}`;
  return [ofLife(death, `the kernel logged a ${brief(fault.kind, 60)} of its first process${where}`)];
}

/** The process crashed by itself: segmentation fault, abort, illegal instruction. */
export const crashSignal: FailureOf = (death) => {
  const { life } = death;
  const signal = signalOf(death);
  const aborted = abortLine(death);
  const inAbort = aborted !== undefined || isAbortFault(death);
  const crash = signal === undefined ? undefined : CRASH_SIGNALS[inAbort ? SIGABRT : signal];
  if (signal === undefined || crash === undefined || life.killRequest !== null) return undefined;
  const counter = oomCounterFact(death);
  return {
    cause: crash.cause,
    confidence: life.signal === undefined || inAbort || isUnseen(death) ? 'likely' : 'certain',
    summary: `Container ${life.container} was ended by ${signalName(signal)} (exit code ${life.exitCode}): ${crash.meaning}.`,
    evidence: [
      exitFact(death),
      ofLife(death, 'nobody asked for this kill'),
      ...faultFacts(death),
      ...(aborted ? [logFact(death, aborted)] : []),
      ...(counter ? [counter] : []),
      ...lastLogFacts(death),
    ],
    next: [previousLog(life.pod, life.container), manifestOf(life.pod, crash.remedy)],
  };
};
