import type { FailureMode } from '../../../model/verdict.ts';
import { type PullFailureCause, pullFailureOf } from '../../pod/image/pull-failure.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { containersOf, lastEvent } from '../pod-evidence.ts';
import { brief } from '../words.ts';
import { type PodFailureOf, waitingFact } from './pod-failure.ts';

const REASONS: readonly string[] = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
];

/** Causes that are more than a failed pull. */
const FAILURE_MODES: Readonly<Partial<Record<PullFailureCause, FailureMode>>> = {
  WrongArchitecture: 'F15',
  DiskFull: 'F14',
};

/** A container waits for an image that cannot be had. */
export const imagePullFailed: PodFailureOf = (pod) => {
  const container = containersOf(pod).find(({ status }) =>
    REASONS.includes(status?.state.waiting?.reason ?? ''),
  );
  const waiting = container?.status?.state.waiting;
  if (!container || !waiting) return undefined;
  const event = lastEvent(pod, ['Failed', 'FailedPull', 'InspectFailed', 'BackOff'], container.name);
  const failed = lastEvent(pod, ['Failed'], container.name) ?? event;
  const said = `${waiting.message ?? ''} ${failed?.message ?? ''}`;
  const failure = pullFailureOf(said) ?? pullFailureOf(waiting.reason);
  return {
    cause: failure?.cause ?? 'Unknown',
    failureMode: FAILURE_MODES[failure?.cause ?? 'ImageNotFound'] ?? 'F3',
    confidence: failure === undefined ? 'unknown' : failure.ambiguous ? 'likely' : 'certain',
    summary: `The image ${brief(container.spec.image ?? '', 160)} of container ${container.name} cannot be pulled${failure ? `: ${failure.because}` : '; what is missing is a message of the registry that says why'}.`,
    evidence: [waitingFact(pod, container.name, waiting, failed)],
    next: [
      describePod(pod.view.ref, 'read the whole message of the pull'),
      manifestOf(pod.view.ref, 'correct the image, its tag or the credentials'),
    ],
  };
};
