import type { Life } from '../../../model/life.ts';
import type { Finding } from '../failure.ts';
import { type ContainerNow, containersOf, type PodEvidence } from '../pod-evidence.ts';
import { rfc3339 } from '../words.ts';
import { ofWhichContainer } from './of-which-container.ts';
import type { PodFailureOf } from './pod-failure.ts';

// As long as the kubelet remembers a back-off, and as a crash loop is counted.
const RECENT_MS = 600_000;
const LOOP_MS = 1_800_000;
const LOOP_DEATHS = 3;

/**
 * The death that matters now: of a container that is down, else of one that died lately or keeps dying. One that died
 * for want of a neighbour in its own pod is a consequence: the neighbour's death is the reason.
 */
export const lastDeath: PodFailureOf = (pod) => {
  const all = containersOf(pod).flatMap((container) => {
    const life = troublingLife(pod, container);
    return life ? [{ container, life }] : [];
  });
  const reasons = all.filter(({ life }) => !isConsequence(life, all, pod));
  const troubled = (reasons.length > 0 ? reasons : all).sort(
    (a, b) =>
      Number(isDown(b.container)) - Number(isDown(a.container)) ||
      firstDeath(pod, a.container) - firstDeath(pod, b.container) ||
      b.life.finishedAt - a.life.finishedAt,
  )[0];
  if (!troubled) return undefined;
  const { life, container } = troubled;
  const verdict = hedged(pod, troubled, ofWhichContainer(container, life.verdict));
  const deaths = unrequestedDeaths(pod, life.container, pod.now - LOOP_MS);
  if (deaths.length < LOOP_DEATHS) return verdict;
  return {
    ...verdict,
    summary: `${verdict.summary} It has died ${deaths.length} times within 30 minutes.`,
    evidence: [
      ...verdict.evidence,
      {
        fact: `${deaths.length} deaths within 30 minutes that nobody asked for, exit codes ${[...new Set(deaths.map(({ exitCode }) => exitCode))].join(', ')}`,
        source: deaths[0]!.id,
        at: rfc3339(deaths[0]!.finishedAt),
      },
    ],
  };
};

const OF_OTHERS: readonly string[] = [
  'DependencyRefused',
  'DependencyTimeout',
  'DependencyFlapping',
  'DnsFailure',
  'KilledBySibling',
];
const WITHIN_THE_POD = /\b(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3})\b|::1\b/;
const AN_ADDRESS = /\b[\w.-]{1,253}:\d{1,5}\b|\[[\da-f:]{2,40}\]:\d{1,5}/;

/** It could not reach somebody in its own pod, and another container of the pod fails by itself. */
function isConsequence(
  life: Life,
  all: readonly { readonly life: Life }[],
  { view: { object } }: PodEvidence,
): boolean {
  if (!OF_OTHERS.includes(life.verdict.cause)) return false;
  const fails = all.some((other) => other.life !== life && !OF_OTHERS.includes(other.life.verdict.cause));
  if (!fails) return false;
  return mayNeedItsPod(life, object.status.podIP);
}

function mayNeedItsPod({ verdict: { summary } }: Life, podIP: string | undefined): boolean {
  const own = WITHIN_THE_POD.test(summary) || (podIP !== undefined && summary.includes(podIP));
  return own || !AN_ADDRESS.test(summary);
}

/** Whom it could not reach may be a container of its own pod that is not up, of which nothing is known yet. */
function hedged(
  pod: PodEvidence,
  { life, container }: { readonly life: Life; readonly container: ContainerNow },
  verdict: Finding,
): Finding {
  const othersDown = containersOf(pod).some(({ name, init, status }) => {
    return !init && name !== container.name && status?.state.running === undefined;
  });
  const depends = OF_OTHERS.includes(life.verdict.cause) && mayNeedItsPod(life, pod.view.object.status.podIP);
  return othersDown && depends && verdict.confidence === 'certain'
    ? { ...verdict, confidence: 'likely' }
    : verdict;
}

/** Who began to die first within the loop; what dies often dies last by chance. */
const firstDeath = (pod: PodEvidence, { name }: ContainerNow): number =>
  unrequestedDeaths(pod, name, pod.now - LOOP_MS)[0]?.finishedAt ?? Number.POSITIVE_INFINITY;

const isDown = ({ status }: ContainerNow) => status?.state.running === undefined;

function troublingLife(pod: PodEvidence, container: ContainerNow): Life | undefined {
  const lives = pod.lives.filter((candidate) => candidate.container === container.name);
  const life = lives.findLast(({ verdict }) => verdict.cause !== 'None');
  if (!life) return undefined;
  const isLast = life === lives.at(-1);
  if ((isLast && isDown(container)) || pod.now - life.finishedAt < RECENT_MS) return life;
  return unrequestedDeaths(pod, container.name, pod.now - LOOP_MS).length >= LOOP_DEATHS ? life : undefined;
}

const unrequestedDeaths = ({ lives }: PodEvidence, container: string, since: number) =>
  lives.filter((life) => life.container === container && life.unrequested && life.finishedAt >= since);
