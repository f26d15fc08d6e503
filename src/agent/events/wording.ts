import type { PodTransition } from '../pod/transition.ts';

/** A transition in words, before it has an id. */
export interface Wording {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Tells events of one reason in one life apart; left out where a life has only one of them. */
  readonly sequence?: string | number;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

type Kind = PodTransition['kind'];
type Of<K extends Kind, T = PodTransition> = T extends { readonly kind: infer Own }
  ? K extends Own
    ? T
    : never
  : never;
type Words = { readonly [K in Kind]?: (transition: Of<K>) => readonly Wording[] };

const normal = (reason: string, message: string, more: Partial<Wording> = {}): Wording => ({
  type: 'Normal',
  reason,
  message,
  ...more,
});
const warning = (reason: string, message: string, more: Partial<Wording> = {}): Wording => ({
  type: 'Warning',
  reason,
  message,
  ...more,
});

/**
 * Kubernetes' own wording where it has one; Ready and NotReady are ours. Deaths are told by their lives. What is not
 * here is no event. Source: kubernetes pkg/kubelet/events/event.go and where its reasons are used.
 */
const WORDS: Words = {
  'pod-scheduled': ({ pod }) => [
    normal('Scheduled', `Successfully assigned ${pod.namespace}/${pod.name} to ${pod.node}`),
  ],
  'scheduling-failed': ({ message, at }) => [warning('FailedScheduling', message, { sequence: at })],
  // Source: kubernetes/pkg/kubelet/active_deadline.go
  'deadline-exceeded': ({ message }) => [normal('DeadlineExceeded', message)],
  rejected: ({ reason, message }) => [warning(reason, message)],
  disrupted: ({ reason, message, signal }) => [
    warning(reason, message, signal === undefined ? {} : { details: { signal } }),
  ],
  'sandbox-failed': ({ message, at }) => [
    message.startsWith('MountVolume')
      ? warning('FailedMount', message, { sequence: at })
      : warning('FailedCreatePodSandBox', `Failed to create pod sandbox: ${message}`, { sequence: at }),
  ],
  'config-failed': ({ message, at }) => [
    message.startsWith('MountVolume')
      ? warning('FailedMount', message, { sequence: at })
      : warning('Failed', `Error: ${message}`, { sequence: at }),
  ],
  'image-pulling': ({ image, at }) => [normal('Pulling', `Pulling image "${image}"`, { sequence: at })],
  'image-pulled': ({ image, present }) => [
    normal(
      'Pulled',
      present
        ? `Container image "${image}" already present on machine`
        : `Successfully pulled image "${image}"`,
    ),
  ],
  'image-failed': ({ image, reason, message, at }) => [
    reason === 'ImagePullBackOff'
      ? normal('BackOff', `Back-off pulling image "${image}": ${message}`, { sequence: `image ${at}` })
      : reason === 'InvalidImageName'
        ? warning('InspectFailed', `Failed to apply default image tag "${image}": ${message}`, {
            sequence: at,
          })
        : reason === 'ErrImageNeverPull'
          ? warning('ErrImageNeverPull', message, { sequence: at })
          : warning('Failed', `Failed to pull image "${image}": ${message}`, { sequence: at }),
  ],
  'container-started': ({ container }) => [
    normal('Created', `Created container: ${container}`),
    normal('Started', `Started container ${container}`),
  ],
  'start-failed': ({ message, at }) => [warning('Failed', `Error: ${message}`, { sequence: at })],
  'hook-failed': ({ hook, message, at }) => [
    hook === 'postStart'
      ? warning('FailedPostStartHook', `PostStartHook failed: ${message}`, { sequence: at })
      : warning('FailedPreStopHook', `PreStopHook failed: ${message}`, { sequence: at }),
  ],
  killing: ({ container, request }) => [
    normal(
      'Killing',
      request.by === 'probe'
        ? request.message || `Container ${container} failed liveness probe, will be restarted`
        : request.by === 'hook'
          ? request.message
          : `Stopping container ${container}`,
      { details: { by: request.by, why: request.message } },
    ),
  ],
  'back-off': ({ container, pod, delayMs }) => [
    warning(
      'BackOff',
      `Back-off restarting failed container ${container} in pod ${pod.name}_${pod.namespace}(${pod.uid})`,
      { details: { delayMs } },
    ),
  ],
  probe: ({ result, at, inARow, threshold }) =>
    result.ok
      ? []
      : [
          warning('Unhealthy', `${capital(result.probe)} probe failed: ${result.message}`, {
            sequence: `${result.probe} ${at}`,
            details: {
              probe: result.probe,
              target: result.target,
              latencyMs: result.latencyMs,
              inARow,
              threshold,
            },
          }),
        ],
  ready: ({ at, first }) => [normal('Ready', 'Pod is ready', { sequence: at, details: { first } })],
  'not-ready': ({ at }) => [warning('NotReady', 'Pod is not ready any more', { sequence: at })],
};

/** What a transition is called; none for those nobody needs to read. */
export function wordingOf(transition: PodTransition): readonly Wording[] {
  const words = WORDS[transition.kind] as ((transition: PodTransition) => readonly Wording[]) | undefined;
  return words?.(transition) ?? [];
}

const capital = (word: string) => `${word[0]!.toUpperCase()}${word.slice(1)}`;
