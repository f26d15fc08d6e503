import type { Finding } from '../failure.ts';
import type { ContainerNow } from '../pod-evidence.ts';

/** Somebody made it end, as all of its pod: it has not failed. */
const ASKED_FOR: readonly string[] = [
  'None',
  'KilledByUser',
  'DeadlineExceeded',
  'EvictedMemory',
  'EvictedDisk',
  'EvictedPids',
];

/**
 * Where an init container or a sidecar fails, that is the pod's trouble, and the summary names its own cause. A life
 * keeps its own verdict.
 */
export function ofWhichContainer(
  { init, spec, name }: Pick<ContainerNow, 'init' | 'spec' | 'name'>,
  verdict: Finding,
): Finding {
  if (!init || ASKED_FOR.includes(verdict.cause)) return verdict;
  const sidecar = spec.restartPolicy === 'Always';
  const before = sidecar
    ? `Sidecar ${name} fails`
    : `Init container ${name} fails, so the containers of the pod never start`;
  const { failureMode: _, ...own } = verdict;
  return {
    ...own,
    cause: sidecar ? 'SidecarFailing' : 'InitContainerFailing',
    summary: `${before}: ${verdict.cause}. ${verdict.summary}`,
  };
}
