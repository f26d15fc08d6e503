import { exitFact, oomCounterFact, victimFact } from '../citation.ts';
import type { FailureOf } from '../failure.ts';
import { memoryFacts } from '../memory.ts';
import { manifestOf, previousLog } from '../next-step.ts';
import { brief, bytes } from '../words.ts';

/**
 * The kernel killed a child process for memory and the container ended after it. Kubernetes does not call this
 * OOMKilled (kubernetes/kubernetes#50632). Holds when the counter rose or a child is on record as a victim, and
 * OOMKilled itself did not hold.
 */
export const childOomKilled: FailureOf = (death) => {
  const { life } = death;
  const victims = life.oomKills.filter(({ mainProcess }) => !mainProcess);
  const counted = death.oomKillsCounted ?? life.oomKills.length;
  if (counted === 0 || (victims.length === 0 && death.oomKillsCounted === undefined)) return undefined;
  if (life.exitCode === 0) return undefined;
  const victim = victims.at(-1);
  if (victim !== undefined && !wasFatal(victim.at, life.finishedAt)) return undefined;
  const command =
    victim?.command === undefined ? 'a child process' : `its child process ${brief(victim.command, 40)}`;
  const limit = life.config.memoryLimitBytes;
  return {
    cause: 'ChildOOMKilled',
    confidence: victim !== undefined ? 'certain' : 'likely',
    summary: `The kernel killed ${command} of container ${life.container} for memory${limit === undefined ? '' : ` at the limit of ${bytes(limit)}`}, and the container ended after it with code ${life.exitCode}; Kubernetes does not report this as OOMKilled.`,
    evidence: [
      exitFact(death),
      ...[oomCounterFact(death) ?? []].flat(),
      ...victims.slice(-2).map((kill) => victimFact(death, kill)),
      ...memoryFacts(death),
    ],
    next: [
      previousLog(life.pod, life.container),
      manifestOf(life.pod, 'raise resources.limits.memory, or run fewer children at a time'),
    ],
  };
};

// A kill long before the end was survived; one within a few seconds was not.
const wasFatal = (killedAt: number, endedAt: number) => endedAt - killedAt < 10_000;
