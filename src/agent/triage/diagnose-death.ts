import type { Verdict } from '../../model/verdict.ts';
import { appError } from './causes/app-error.ts';
import { applicationHung } from './causes/application-hung.ts';
import { badConfig } from './causes/bad-config.ts';
import { certificateExpired } from './causes/certificate-expired.ts';
import { childOomKilled } from './causes/child-oom-killed.ts';
import { clockSkew } from './causes/clock-skew.ts';
import { commandNotFound } from './causes/command-not-found.ts';
import { cpuThrottled } from './causes/cpu-throttled.ts';
import { crashSignal } from './causes/crash-signal.ts';
import { dependency } from './causes/dependency.ts';
import { diskFull } from './causes/disk-full.ts';
import { endedAsAsked } from './causes/ended-as-asked.ts';
import { exitedZero } from './causes/exited-zero.ts';
import { fileDescriptorLimit } from './causes/file-descriptor-limit.ts';
import { heapExhausted } from './causes/heap-exhausted.ts';
import { killedBySender } from './causes/killed-by-sender.ts';
import { livenessProbeTooStrict } from './causes/liveness-probe-too-strict.ts';
import { livenessProbeWrong } from './causes/liveness-probe-wrong.ts';
import { missingConfig } from './causes/missing-config.ts';
import { noisyNeighbour } from './causes/noisy-neighbour.ts';
import { oomKilled } from './causes/oom-killed.ts';
import { permissionDenied } from './causes/permission-denied.ts';
import { pidLimit } from './causes/pid-limit.ts';
import { portInUse } from './causes/port-in-use.ts';
import { readOnlyFilesystem } from './causes/read-only-filesystem.ts';
import { securityDenied } from './causes/security-denied.ts';
import { startupTooSlowForProbe } from './causes/startup-too-slow-for-probe.ts';
import { terminatedBySignal } from './causes/terminated-by-signal.ts';
import { tokenExpired } from './causes/token-expired.ts';
import { unanswered } from './causes/unanswered.ts';
import { unknown } from './causes/unknown.ts';
import { wrongArchitecture } from './causes/wrong-architecture.ts';
import { repetitionFact } from './citation.ts';
import { configChange } from './config-change.ts';
import type { Death } from './death.ts';
import { type FailureOf, type Finding, toVerdict } from './failure.ts';

/** Those that decide come first: who asked, what the kernel counted, who sent the signal; then what the log says. */
const FAILURES: readonly FailureOf[] = [
  endedAsAsked,
  oomKilled,
  childOomKilled,
  killedBySender,
  livenessProbeWrong,
  cpuThrottled,
  noisyNeighbour,
  startupTooSlowForProbe,
  livenessProbeTooStrict,
  applicationHung,
  exitedZero,
  diskFull,
  readOnlyFilesystem,
  fileDescriptorLimit,
  pidLimit,
  portInUse,
  clockSkew,
  certificateExpired,
  tokenExpired,
  missingConfig,
  badConfig,
  dependency,
  commandNotFound,
  wrongArchitecture,
  securityDenied,
  permissionDenied,
  heapExhausted,
  unanswered,
  appError,
  crashSignal,
  terminatedBySignal,
];

/**
 * Why a container died: the first failure of the table that holds, with how often it happened before and what changed
 * since it was well. Pure; the same facts give the same verdict, in whatever order they
 * arrived. `Unknown` says what is missing.
 */
export function diagnoseDeath(arrived: Death): Verdict {
  const death = inOrder(arrived);
  const verdict = toVerdict(firstThatHolds(death) ?? unknown(death));
  if (verdict.cause === 'None') return verdict;
  const repetition = repetitionFact(death, verdict.cause);
  return {
    ...verdict,
    evidence: [...verdict.evidence, ...(repetition ? [repetition] : []), ...configChange(death)],
  };
}

const byTime = <T extends { readonly at: number }>(facts: readonly T[]): readonly T[] =>
  facts.toSorted((a, b) => a.at - b.at);

/** The same facts by their time: what came later to us may have happened before. */
function inOrder(death: Death): Death {
  const { life, earlier } = death;
  return {
    ...death,
    earlier: earlier.toSorted((a, b) => a.attempt - b.attempt),
    life: {
      ...life,
      log: byTime(life.log),
      vitals: byTime(life.vitals),
      probes: byTime(life.probes),
      oomKills: byTime(life.oomKills),
      listening: life.listening.toSorted((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1)),
    },
  };
}

function firstThatHolds(death: Death): Finding | undefined {
  for (const failureOf of FAILURES) {
    const verdict = failureOf(death);
    if (verdict) return verdict;
  }
  return undefined;
}
