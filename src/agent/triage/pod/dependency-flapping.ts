import type { Life } from '../../../model/life.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { isDependencyDeath, type PodEvidence } from '../pod-evidence.ts';
import { brief, duration, rfc3339 } from '../words.ts';
import type { PodFailureOf } from './pod-failure.ts';

const RECENT_MS = 1_800_000;
/** Replicas that die within this time of each other die of the same thing. */
const TOGETHER_MS = 5000;
// One that lived so long had what it needs, and lost it; a time-out takes its time before it is one.
const LIVED_MS: Readonly<Record<string, number>> = { DependencyRefused: 3000 };
const LIVED_OTHERWISE_MS = 15_000;
const MOST_FACTS = 4;

/**
 * Several replicas die together whenever one thing they all depend on goes away, and it goes away again and again:
 * restarting them mends nothing. Refuted where they never came to run, as when the dependency is simply not there.
 */
export const dependencyFlapping: PodFailureOf = (pod) => {
  const own = pod.lives.findLast(({ verdict }) => verdict.cause !== 'None');
  if (!own || !isDependencyDeath(own)) return undefined;
  const address = addressIn(own);
  const deaths = lostDependency(pod).filter((life) => {
    const other = addressIn(life);
    return address === undefined || other === undefined || other === address;
  });
  const times = burstsOf(deaths);
  const together = times.filter((burst) => podsOf(burst) > 1);
  if (together.length === 0 || times.length < 2) return undefined;
  const { ref } = pod.view;
  const what = address === undefined ? 'something they depend on' : brief(address, 120);
  return {
    cause: 'DependencyFlapping',
    confidence: 'likely',
    summary: `${podsOf(deaths)} replicas of ${ref.workload} die together whenever ${what} goes away, ${times.length} times within ${duration(deaths.at(-1)!.finishedAt - deaths[0]!.finishedAt)}: their restarts follow the dependency.`,
    evidence: times.slice(-MOST_FACTS).map((burst) => ({
      fact: `${podsOf(burst) === 1 ? 'a replica' : `${podsOf(burst)} replicas`} died at ${rfc3339(burst[0]!.finishedAt).slice(11, 19)} UTC after running for up to ${duration(Math.max(...burst.map(lived)))}: ${burst[0]!.verdict.cause}`,
      source: burst[0]!.id,
      at: rfc3339(burst[0]!.finishedAt),
    })),
    next: [
      {
        command: 'podvitals get pods -A -o wide',
        why: `see what serves ${what}, and why it does not stay up`,
      },
      describePod(ref, 'see how often it died'),
      manifestOf(ref, 'let the program reconnect with back-off instead of ending'),
    ],
  };
};

const lived = ({ startedAt, finishedAt }: Life) => finishedAt - startedAt;
const podsOf = (lives: readonly Life[]) => new Set(lives.map(({ pod }) => pod.uid)).size;
const addressIn = ({ verdict }: Life) => /cannot reach (\S{1,253}): /.exec(verdict.summary)?.[1];

function lostDependency({ lives, siblings = [], now }: PodEvidence): readonly Life[] {
  return [...lives, ...siblings]
    .filter(
      (life) =>
        life.unrequested &&
        isDependencyDeath(life) &&
        now - life.finishedAt < RECENT_MS &&
        lived(life) >= (LIVED_MS[life.verdict.cause] ?? LIVED_OTHERWISE_MS),
    )
    .sort((a, b) => a.finishedAt - b.finishedAt || (a.id < b.id ? -1 : 1));
}

/** Deaths in groups that lie within TOGETHER_MS of the one before. */
function burstsOf(deaths: readonly Life[]): readonly (readonly Life[])[] {
  const bursts: Life[][] = [];
  for (const life of deaths) {
    const last = bursts.at(-1);
    if (last && life.finishedAt - last.at(-1)!.finishedAt <= TOGETHER_MS) last.push(life);
    else bursts.push([life]);
  }
  return bursts;
}
