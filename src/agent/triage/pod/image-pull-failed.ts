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

const WAYS: readonly (readonly [RegExp, string, string])[] = [
  [/--runtime podman/, 'ImageNotFound', 'the process runtime runs the image "host" only'],
  [
    /\b429\b|too many requests|toomanyrequests|rate limit/i,
    'RegistryRateLimited',
    'the registry limits the rate of pulls',
  ],
  [
    /no match(?:ing)? .*(?:platform|manifest)|exec format/i,
    'WrongArchitecture',
    'the image has no version for this architecture',
  ],
  [
    /unauthorized|denied|forbidden|\b40[13]\b|authentication required/i,
    'ImageAuthFailed',
    'the registry refuses the credentials',
  ],
  [
    /no such host|timeout|timed out|refused|unreachable|x509|certificate|TLS/i,
    'RegistryUnreachable',
    'the registry cannot be reached',
  ],
  [
    /not found|manifest unknown|NotFound|no such image|ErrImageNeverPull|not present/i,
    'ImageNotFound',
    'there is no such image or tag',
  ],
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
      ? (['', 'ImageNotFound', 'the name is not a valid reference'] as const)
      : WAYS.find(([pattern]) => pattern.test(`${waiting.reason} ${said}`));
  return {
    cause: way?.[1] ?? 'Unknown',
    failureMode: way?.[1] === 'WrongArchitecture' ? 'F15' : 'F3',
    confidence: way ? 'certain' : 'unknown',
    summary: `The image ${brief(container.spec.image ?? '', 160)} of container ${container.name} cannot be pulled${way ? `: ${way[2]}` : '; what is missing is a message of the registry that says why'}.`,
    evidence: [waitingFact(pod, container.name, waiting, failed)],
    next: [
      describePod(pod.view.ref, 'read the whole message of the pull'),
      manifestOf(pod.view.ref, 'correct the image, its tag or the credentials'),
    ],
  };
};
