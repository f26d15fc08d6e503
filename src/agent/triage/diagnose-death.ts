import type { Verdict } from '../../model/verdict.ts';
import { appError } from './causes/app-error.ts';
import { badConfig } from './causes/bad-config.ts';
import { childOomKilled } from './causes/child-oom-killed.ts';
import { commandNotFound } from './causes/command-not-found.ts';
import { completedUnexpectedly } from './causes/completed-unexpectedly.ts';
import { crashSignal } from './causes/crash-signal.ts';
import { dependencyUnavailable } from './causes/dependency-unavailable.ts';
import { diskFull } from './causes/disk-full.ts';
import { endedAsAsked } from './causes/ended-as-asked.ts';
import { heapExhausted } from './causes/heap-exhausted.ts';
import { missingConfig } from './causes/missing-config.ts';
import { notExecutable } from './causes/not-executable.ts';
import { oomKilled } from './causes/oom-killed.ts';
import { permissionDenied } from './causes/permission-denied.ts';
import { portInUse } from './causes/port-in-use.ts';
import { probeFailed } from './causes/probe-failed.ts';
import { terminatedBySignal } from './causes/terminated-by-signal.ts';
import { unknown } from './causes/unknown.ts';
import { repetitionFact } from './citation.ts';
import { configChange } from './config-change.ts';
import type { Death } from './death.ts';
import type { FailureOf } from './failure.ts';

/** Those that decide come first: who asked, what the kernel counted, who sent the signal; then what the log says. */
const FAILURES: readonly FailureOf[] = [
  endedAsAsked,
  oomKilled,
  childOomKilled,
  probeFailed,
  completedUnexpectedly,
  diskFull,
  portInUse,
  missingConfig,
  badConfig,
  dependencyUnavailable,
  commandNotFound,
  notExecutable,
  permissionDenied,
  heapExhausted,
  appError,
  crashSignal,
  terminatedBySignal,
];

/**
 * Why a container died: the first failure of the table that holds, with how often it happened before and what changed
 * since it was well. Pure; the same facts give the same verdict. `Unknown` says what is missing.
 */
export function diagnoseDeath(death: Death): Verdict {
  const verdict = firstThatHolds(death) ?? unknown(death);
  if (verdict.cause === 'None') return verdict;
  const repetition = repetitionFact(death, verdict.cause);
  return {
    ...verdict,
    evidence: [...verdict.evidence, ...(repetition ? [repetition] : []), ...configChange(death)],
  };
}

function firstThatHolds(death: Death): Verdict | undefined {
  for (const failureOf of FAILURES) {
    const verdict = failureOf(death);
    if (verdict) return verdict;
  }
  return undefined;
}
