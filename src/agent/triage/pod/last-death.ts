import type { Life } from '../../../model/life.ts';
import type { Verdict } from '../../../model/verdict.ts';
import { type ContainerNow, containersOf, type PodEvidence } from '../pod-evidence.ts';
import { rfc3339 } from '../words.ts';
import type { PodFailureOf } from './pod-failure.ts';

// As long as the kubelet remembers a back-off, and as a crash loop is counted.
const RECENT_MS = 600_000;
const LOOP_MS = 1_800_000;
const LOOP_DEATHS = 3;

/** The death that matters now: of a container that is down, else of one that died lately or keeps dying. */
export const lastDeath: PodFailureOf = (pod) => {
  const troubled = containersOf(pod)
    .flatMap((container) => {
      const life = troublingLife(pod, container);
      return life ? [{ container, life }] : [];
    })
    .sort(
      (a, b) =>
        Number(isDown(b.container)) - Number(isDown(a.container)) || b.life.finishedAt - a.life.finishedAt,
    )[0];
  if (!troubled) return undefined;
  const { life, container } = troubled;
  const verdict = ofWhichContainer(container, life.verdict);
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

/**
 * Where an init container or a sidecar fails, that is the pod's trouble, and the summary names its own cause. A life
 * keeps its own verdict.
 */
function ofWhichContainer({ init, spec, name }: ContainerNow, verdict: Verdict): Verdict {
  if (!init || verdict.cause === 'None') return verdict;
  const sidecar = spec.restartPolicy === 'Always';
  const before = sidecar
    ? `Sidecar ${name} fails`
    : `Init container ${name} fails, so the containers of the pod never start`;
  return {
    ...verdict,
    cause: sidecar ? 'SidecarFailing' : 'InitContainerFailing',
    summary: `${before}: ${verdict.cause}. ${verdict.summary}`,
  };
}

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
