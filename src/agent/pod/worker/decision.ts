import type { KillRequest } from '../../../model/life.ts';
import { type ContainerRecord, isRunning, type PodRecord } from '../pod-record.ts';
import { wantsRestart } from '../status/container-status.ts';
import { isInitialized, isSidecar, isTerminal, podPhase } from '../status/phase.ts';
import { backOffUntil, type RestartBackOff } from './restart-back-off.ts';

/** One thing for the worker to do. */
export type PodAction =
  | { readonly kind: 'set-up' }
  | { readonly kind: 'remove' }
  | { readonly kind: 'start'; readonly container: ContainerRecord }
  | {
      readonly kind: 'back-off';
      readonly container: ContainerRecord;
      readonly delayMs: number;
      readonly untilMs: number;
    }
  | { readonly kind: 'image-back-off'; readonly container: ContainerRecord }
  /** `pre-stop` only begins its preStop hook: its turn to end comes later. */
  | {
      readonly kind: 'stop' | 'pre-stop';
      readonly container: ContainerRecord;
      readonly graceMs: number;
      readonly request: KillRequest;
    }
  | { readonly kind: 'fail'; readonly reason: string; readonly message: string };

/** What the worker has begun and not ended. */
export interface InFlight {
  readonly setUp: boolean;
  /** The one container being started. */
  readonly starting: string | undefined;
  /** Containers being stopped, and when they will be killed. */
  readonly stopping: ReadonlyMap<string, number>;
  /** Containers whose preStop hook has begun before their turn. */
  readonly preStopping: ReadonlySet<string>;
  readonly removing: boolean;
}

export interface Decision {
  readonly actions: readonly PodAction[];
  /** When to decide again, if nothing happens before. */
  readonly wakeAt?: number;
}

// ErrImagePull is shown for so long before it turns into ImagePullBackOff, or half the delay if that is less.
const PULL_ERROR_SHOWN_MS = 5000;

/**
 * What a pod needs now, from what is known of it; the same facts always give the same answer.
 * Source: kubernetes/pkg/kubelet/kuberuntime/kuberuntime_manager.go, computePodActions
 */
export function decide(pod: PodRecord, flight: InFlight, backOff: RestartBackOff, now: number): Decision {
  if (pod.deletion) return decideDeletion(pod, pod.deletion, flight, now);
  if (pod.failure) {
    const { message, at, by = 'pod-failed', graceMs = graceMsOf(pod) } = pod.failure;
    return { actions: endInOrder(pod, { request: { by, message, at }, at, graceMs }, flight, now) };
  }
  if (pod.heldDown) {
    const { at } = pod.heldDown;
    return { actions: endInOrder(pod, { request: pod.heldDown, at, graceMs: graceMsOf(pod) }, flight, now) };
  }
  if (pod.startup.scheduledAt === undefined) return { actions: [] };
  if (pod.pausedAt !== undefined) return { actions: [] };
  const deadline = deadlineOf(pod);
  if (isTerminal(podPhase(pod))) {
    const at =
      Math.max(0, ...pod.containers.map(({ life, init }) => (init ? 0 : (life?.endedAt ?? 0)))) || now;
    const request = { by: 'pod-failed', message: 'The containers of the pod have ended', at } as const;
    return { actions: endInOrder(pod, { request, at, graceMs: graceMsOf(pod) }, flight, now) };
  }
  if (deadline !== undefined && now >= deadline) {
    return {
      actions: [
        {
          kind: 'fail',
          reason: 'DeadlineExceeded',
          message: 'Pod was active on the node longer than the specified deadline',
        },
      ],
    };
  }
  return earliest(
    deadline,
    pod.sandbox ? decideContainers(pod, flight, backOff, now) : decideSetUp(pod, flight, now),
  );
}

/** Counted from the pod's startTime. Source: kubernetes/pkg/kubelet/active_deadline.go, pastActiveDeadline */
function deadlineOf({ spec, startup }: PodRecord): number | undefined {
  const seconds = spec.activeDeadlineSeconds;
  return seconds === undefined ? undefined : (startup.scheduledAt ?? startup.createdAt) + seconds * 1000;
}

const earliest = (at: number | undefined, decision: Decision): Decision =>
  at === undefined ? decision : { ...decision, wakeAt: Math.min(at, decision.wakeAt ?? at) };

// What a sidecar is given when its pod's grace is used up. Source: kuberuntime_container.go, minimumGracePeriodInSeconds
const LEAST_GRACE_MS = 2000;

/** Why containers are to end, since when, and how long they have for it together. */
interface Ending {
  readonly request: KillRequest;
  readonly at: number;
  readonly graceMs: number;
}

function decideDeletion(
  pod: PodRecord,
  deletion: NonNullable<PodRecord['deletion']>,
  flight: InFlight,
  now: number,
): Decision {
  const busy =
    pod.containers.some(isRunning) || flight.starting !== undefined || flight.setUp || flight.removing;
  return { actions: busy ? endInOrder(pod, deletion, flight, now) : [{ kind: 'remove' }] };
}

/**
 * All containers are asked to end together; sidecars follow when the others are gone, the last one first, within what is
 * left of the one grace. The hooks of all begin at once.
 * Source: kubernetes/pkg/kubelet/kuberuntime: kuberuntime_termination_order.go, kuberuntime_container.go (killContainer)
 */
function endInOrder(pod: PodRecord, ending: Ending, flight: InFlight, now: number): readonly PodAction[] {
  const endAt = ending.at + ending.graceMs;
  const running = pod.containers.filter(isRunning);
  const others = running.filter((container) => !isSidecar(pod, container));
  const leftMs = Math.max(LEAST_GRACE_MS, endAt - now);
  const turn = others.length > 0 ? others : now < endAt ? running.slice(-1) : running;
  const late = turn.filter((container) => {
    const until = flight.stopping.get(container.name) ?? Infinity;
    return until > endAt && until > now + LEAST_GRACE_MS;
  });
  const { request } = ending;
  const early = running.filter(
    ({ name }) => !turn.some((container) => container.name === name) && !flight.preStopping.has(name),
  );
  return [
    ...late.map((container) => ({
      kind: 'stop' as const,
      container,
      graceMs: others.length > 0 ? Math.min(ending.graceMs, leftMs) : leftMs,
      request,
    })),
    ...early
      .filter(({ name }) => !flight.stopping.has(name) && hasPreStop(pod, name) && ending.graceMs > 0)
      .map((container) => ({ kind: 'pre-stop' as const, container, graceMs: leftMs, request })),
  ];
}

const hasPreStop = ({ spec }: PodRecord, name: string) =>
  (spec.initContainers ?? []).some(
    (container) => container.name === name && container.lifecycle?.preStop !== undefined,
  );

export const graceMsOf = (pod: PodRecord) => (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;

function decideSetUp(pod: PodRecord, flight: InFlight, now: number): Decision {
  if (flight.setUp) return { actions: [] };
  const retryAt = pod.setUpFailure?.retryAt ?? 0;
  return retryAt > now ? { actions: [], wakeAt: retryAt } : { actions: [{ kind: 'set-up' }] };
}

/** Init containers one after another, then all the others; starts one at a time, in the order of the spec. */
function decideContainers(pod: PodRecord, flight: InFlight, backOff: RestartBackOff, now: number): Decision {
  const actions: PodAction[] = [];
  let wakeAt: number | undefined;
  let starting = flight.starting !== undefined;
  for (const container of containersDue(pod)) {
    const sidecar = isSidecar(pod, container);
    if (isRunning(container) || flight.starting === container.name) continue;
    if (!wantsRestart(pod, container, sidecar)) continue;
    const wait = waitOf(pod, container, backOff, now);
    if (wait !== undefined) {
      wakeAt = Math.min(wakeAt ?? wait.until, wait.until);
      if (wait.action) actions.push(wait.action);
    } else if (!starting) {
      starting = true;
      actions.push({ kind: 'start', container });
    }
  }
  return wakeAt === undefined ? { actions } : { actions, wakeAt };
}

function containersDue(pod: PodRecord): readonly ContainerRecord[] {
  const blocking = pod.containers.findIndex((container) => container.init && !isInitialized(pod, container));
  // A sidecar that fell over after initialization holds nobody up.
  const begun = pod.containers.some((container) => !container.init && container.life !== undefined);
  const rerun = pod.containers.some((container) => container.rerun);
  if (blocking < 0 || (begun && !rerun)) {
    return pod.containers.filter((container) => !container.init || isSidecar(pod, container));
  }
  return pod.containers.slice(0, blocking + 1);
}

function waitOf(
  pod: PodRecord,
  container: ContainerRecord,
  backOff: RestartBackOff,
  now: number,
): { readonly until: number; readonly action?: PodAction } | undefined {
  if (container.retryAt !== undefined && container.retryAt > now) return { until: container.retryAt };
  const pull = waitForImage(pod, container, now);
  if (pull !== undefined) return pull;
  const { life } = container;
  if (life?.endedAt === undefined) return undefined;
  const until = backOffUntil(backOff, container.backOff, life.endedAt);
  if (until === undefined || until <= now) return undefined;
  if (container.backingOff?.untilMs === until) return { until };
  return {
    until,
    action: { kind: 'back-off', container, delayMs: container.backOff!.delayMs, untilMs: until },
  };
}

/** The one that failed to pull says so for a while; others with the same image wait with it. */
function waitForImage(
  pod: PodRecord,
  container: ContainerRecord,
  now: number,
): { readonly until: number; readonly action?: PodAction } | undefined {
  const failure = pod.pullFailures?.[container.config.image];
  if (failure === undefined) return undefined;
  const { updatedAt, delayMs } = failure.backOff;
  const until = updatedAt + delayMs;
  if (until <= now) return undefined;
  if (container.waiting?.reason === 'ImagePullBackOff') return { until };
  const turnAt = updatedAt + Math.min(PULL_ERROR_SHOWN_MS, delayMs / 2);
  if (container.waiting?.reason === failure.reason && now < turnAt) return { until: turnAt };
  return { until, action: { kind: 'image-back-off', container } };
}
