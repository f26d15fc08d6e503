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

const WAYS: readonly (readonly [RegExp, string])[] = [
  [/--runtime podman/, 'the process runtime runs the image "host" only'],
  [/not found|manifest unknown|NotFound|no such image/i, 'there is no such image or tag'],
  [/unauthorized|denied|forbidden|401|403|authentication required/i, 'the registry refuses the credentials'],
  [/429|too many requests|rate limit/i, 'the registry limits the rate of pulls'],
  [
    /no such host|timeout|timed out|refused|unreachable|x509|certificate|TLS/i,
    'the registry cannot be reached',
  ],
  [/no match(?:ing)? .*(?:platform|manifest)|exec format/i, 'the image has no version for this architecture'],
];

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
  const way =
    waiting.reason === 'InvalidImageName'
      ? 'the name is not a valid reference'
      : WAYS.find(([pattern]) => pattern.test(said))?.[1];
  return {
    cause: 'ImagePullFailed',
    failureMode: 'F3',
    confidence: 'certain',
    summary: `The image ${brief(container.spec.image ?? '', 160)} of container ${container.name} cannot be pulled${way ? `: ${way}` : ''}.`,
    evidence: [waitingFact(pod, container.name, waiting, failed)],
    next: [
      describePod(pod.view.ref, 'read the whole message of the pull'),
      manifestOf(pod.view.ref, 'correct the image, its tag or the credentials'),
    ],
  };
};
