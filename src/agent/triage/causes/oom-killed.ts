import type { Verdict } from '../../../model/verdict.ts';
import { exitFact, oomCounterFact, seriesName, victimFact } from '../citation.ts';
import { type Death, livedMs, signalOf } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { memoryCourse, memoryFacts } from '../memory.ts';
import { manifestOf, previousLog, query } from '../next-step.ts';
import { bytes, duration } from '../words.ts';

const SIGKILL = 9;

/**
 * The kernel's out-of-memory killer ended the container. Holds when the OOM counter rose (or the kernel's own record
 * names the first process) and SIGKILL ended it; refuted when the counter stood still, whatever a flag says.
 */
export const oomKilled: FailureOf = (death) => {
  if (signalOf(death) !== SIGKILL || !wasKilledForMemory(death)) return undefined;
  const { life } = death;
  const victim = life.oomKills.find(({ mainProcess }) => mainProcess);
  return {
    cause: 'OOMKilled',
    confidence: isProven(death) ? 'certain' : 'likely',
    summary: summaryOf(death),
    evidence: [
      exitFact(death),
      ...[oomCounterFact(death) ?? []].flat(),
      ...(victim ? [victimFact(death, victim)] : []),
      ...memoryFacts(death),
    ],
    next: nextSteps(death),
  };
};

function wasKilledForMemory({ life, oomKillsCounted }: Death): boolean {
  const childrenOnly = life.oomKills.length > 0 && life.oomKills.every(({ mainProcess }) => !mainProcess);
  // A kill that was asked for explains its SIGKILL by itself.
  const asked = life.killRequest !== null && !life.oomKills.some(({ mainProcess }) => mainProcess);
  if (childrenOnly || asked) return false;
  if (oomKillsCounted !== undefined) return oomKillsCounted > 0;
  return life.oomKills.length > 0 || life.reason === 'OOMKilled';
}

/** Certain: the counter rose and the signal is the kernel's, and no one else asked for the kill. */
const isProven = ({ life, oomKillsCounted }: Death) =>
  life.killRequest === null &&
  ((oomKillsCounted ?? 0) > 0 || life.oomKills.some(({ mainProcess }) => mainProcess));

function summaryOf(death: Death): string {
  const { life } = death;
  const limit = life.config.memoryLimitBytes;
  const course = memoryCourse(death);
  const where =
    limit === undefined
      ? `Container ${life.container} has no memory limit of its own and was killed by the kernel because the pod or the node ran out of memory`
      : `Container ${life.container} reached its memory limit of ${bytes(limit)} and was killed by the kernel`;
  const growth =
    course?.growthBytesPerSecond === undefined
      ? course === undefined || limit === undefined
        ? ''
        : '; it did not grow steadily before: it needs more at once than the limit allows (the limit is too low for it)'
      : `; it had grown by ${bytes(course.growthBytesPerSecond)} a second, as a leak does`;
  return `${where} ${duration(livedMs(death))} after it started${growth}.`;
}

function nextSteps(death: Death): Verdict['next'] {
  const { pod, container, config } = death.life;
  const leaks = memoryCourse(death)?.growthBytesPerSecond !== undefined;
  const remedy = leaks
    ? 'a larger resources.limits.memory only delays a leak: find what the process keeps, then apply the mended version'
    : `raise resources.limits.memory${config.memoryLimitBytes === undefined ? '' : ` above ${bytes(config.memoryLimitBytes)}`} if the process needs more, or lower what it holds`;
  return [
    query(seriesName('container_memory_working_set_bytes', pod, container), 'see how its memory grew'),
    previousLog(pod, container),
    manifestOf(pod, remedy),
  ];
}
