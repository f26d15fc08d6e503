import { rmSync } from 'node:fs';
import type { KillRequest } from '../../../model/life.ts';
import type { CancelTimer } from '../../../util/clock.ts';
import { isCodedError, messageOf } from '../../../util/coded-error.ts';
import { placed } from '../new-pod.ts';
import { isRunning, type PodRecord } from '../pod-record.ts';
import type { ContainerExit } from '../runtime/runtime.ts';
import { podFilesFolder, writePodFiles, writePodHosts } from '../spec/pod-files.ts';
import { setUpVolumes, updateVolumes } from '../spec/volumes.ts';
import { isTerminal } from '../status/phase.ts';
import { refreshStatus, startJudgedAt } from '../status/refresh.ts';
import type { PodTransition } from '../transition.ts';
import { type Inheritance, takeOver, type Unseen, unseenDeaths } from './adoption.ts';
import { sharesHostNetwork } from './container-scope.ts';
import { createContainerWorker } from './container-worker.ts';
import { decide, type PodAction } from './decision.ts';
import { checkVerb, markRerun, markStarted, markStopped, type PodVerb } from './pod-control.ts';
import { sandboxConfig } from './sandbox-config.ts';
import { podKey, type WorkerContext } from './worker-context.ts';

/** Looks after one pod, from its making to its removal. */
export interface PodWorker {
  readonly pod: PodRecord;
  /** Begins with a new pod, which waits for `bind`. */
  start(): void;
  /** The node has a place for it; but where it is told why, it does not take it. */
  bind(rejection?: { readonly reason: string; readonly message: string }): void;
  /** The node has no place for it, and why. */
  refuse(message: string): void;
  /** Says who makes it go, before it goes: in its condition DisruptionTarget, and as a transition. */
  disrupt(
    condition: string,
    why: Omit<PodTransition & { readonly kind: 'disrupted' }, 'kind' | 'at' | 'pod'>,
  ): void;
  /** Ends it for good, as Failed; what ended or fails already stays as it is. */
  fail(failure: Omit<NonNullable<PodRecord['failure']>, 'at'>): void;
  /** Of a pod that an earlier agent left: the deaths nobody saw, to be told before `takeOver`. */
  unseen(inheritance: Inheritance): readonly Unseen[];
  /** Begins with a pod that an earlier agent left. */
  takeOver(inheritance: Inheritance): void;
  exited(exit: ContainerExit): void;
  /** Deletes the pod, or makes a deletion under way quicker; a longer grace changes nothing. */
  delete(graceMs: number, request: KillRequest): void;
  /**
   * Stops, starts, restarts, holds or lets go the pod. Resolves when it is done; a stop when nothing runs any more.
   * @throws CodedError why not.
   */
  control(verb: PodVerb, request: KillRequest): Promise<void>;
  /** Something it may have waited for is there: tries again now what failed. */
  retry(): void;
  /** The record was changed from outside. */
  changed(): void;
  /** Objects its volumes show, or its own labels, may have changed: its files follow. */
  updateVolumes(): void;
  /** Services may have changed: its /etc/hosts follows. */
  updateHosts(): void;
  /** Stops looking; the containers go on. */
  detach(): void;
  /** Resolves once nothing is left of the pod. */
  readonly removed: Promise<void>;
}

// How long the kubelet waits before it syncs a pod again after an error: pkg/kubelet/kubelet.go, backOffPeriod.
export const RETRY_MS = 10_000;

export function createPodWorker(pod: PodRecord, context: WorkerContext): PodWorker {
  const { clock, runtime, writer } = context;
  const { uid, namespace } = pod.ref;
  const removed = Promise.withResolvers<void>();
  const flight = { setUp: false, removing: false };
  let cancel: CancelTimer | undefined;
  let detached = false;
  let deciding = false;
  const stopWaiters = new Set<() => void>();
  let again = false;

  const world = () => ({ references: context.references(namespace), node: context.node });
  const persist = () => writer.write(podKey(uid), () => pod);
  const containers = createContainerWorker(pod, context, { sync, persist });

  function sync(): void {
    if (detached || flight.removing) return;
    if (deciding) {
      again = true;
      return;
    }
    deciding = true;
    cancel?.();
    let wakeAt: number | undefined;
    do {
      again = false;
      const decision = decide(pod, { ...flight, ...containers.inFlight() }, context.backOff, clock.now());
      for (const action of decision.actions) perform(action);
      refresh(clock.now());
      wakeAt = earlier(decision.wakeAt, startJudgedAt(pod));
    } while (again);
    deciding = false;
    // A due time in the past was acted on just now; the wall clock may stand still for a moment.
    if (wakeAt !== undefined) cancel = clock.setTimer(Math.max(1, wakeAt - clock.now()), sync);
  }

  function perform(action: PodAction): void {
    if (action.kind === 'set-up') void setUp();
    else if (action.kind === 'remove') void remove();
    else if (action.kind === 'fail') {
      const { reason, message } = action;
      pod.failure = { reason, message, at: clock.now(), by: 'deadline' };
      context.emit({ kind: 'deadline-exceeded', at: clock.now(), pod: pod.ref, message });
      again = true;
    } else containers.perform(action);
  }

  function refresh(at: number): void {
    const facts = refreshStatus(pod, at);
    for (const transition of facts) context.emit(transition);
    context.onChange(pod, at);
    if (!pod.containers.some(isRunning) || !pod.heldDown) {
      for (const resolve of stopWaiters) resolve();
      stopWaiters.clear();
    }
    writer.mark(podKey(uid), () => pod);
  }

  async function hold(paused: boolean): Promise<void> {
    if ((pod.pausedAt !== undefined) === paused) return;
    if (!paused) pod.pausedAt = undefined;
    try {
      await containers.hold(paused);
    } catch (error) {
      // Half a pod held still is neither: what was held goes on.
      if (paused) await containers.hold(false).catch(context.onError);
      else pod.pausedAt = clock.now();
      throw error;
    }
    if (paused) pod.pausedAt = clock.now();
  }

  async function setUp(): Promise<void> {
    flight.setUp = true;
    try {
      const folder = runtime.podDirectory(uid);
      await setUpVolumes(pod, folder, world(), context.claims);
      const sandbox = await runtime.runSandbox(sandboxConfig(pod, folder, context.node));
      pod.sandbox = sandbox;
      writePodFiles(pod, folder, context.node, context.serviceHosts?.(namespace));
      pod.podIp = sandbox.ip ?? (sharesHostNetwork(pod) ? context.node.ip : undefined);
      pod.startup.sandboxAt ??= clock.now();
      pod.setUpFailure = undefined;
      context.emit({ kind: 'sandbox-ready', at: clock.now(), pod: pod.ref });
    } catch (error) {
      const message = messageOf(error);
      pod.setUpFailure = { message, retryAt: clock.now() + RETRY_MS };
      const kind = isCodedError(error) && error.code === 'FailedMount' ? 'config-failed' : 'sandbox-failed';
      context.emit({ kind, at: clock.now(), pod: pod.ref, message });
    }
    flight.setUp = false;
    sync();
  }

  async function remove(): Promise<void> {
    flight.removing = true;
    cancel?.();
    containers.detach();
    try {
      const folder = runtime.podDirectory(uid);
      await runtime.removeSandbox(uid);
      rmSync(`${folder}/volumes`, { recursive: true, force: true });
      rmSync(podFilesFolder(folder), { recursive: true, force: true });
    } catch (error) {
      context.onError(error);
      clock.setTimer(RETRY_MS, () => {
        flight.removing = false;
        sync();
      });
      return;
    }
    context.emit({ kind: 'pod-deleted', at: clock.now(), pod: pod.ref });
    await context.onRemoved(pod);
    removed.resolve();
  }

  return {
    pod,
    removed: removed.promise,
    start() {
      context.emit({ kind: 'pod-created', at: pod.startup.createdAt, pod: pod.ref });
      void persist();
      sync();
    },
    bind(rejection) {
      pod.spec = placed(pod.spec, context.node.name);
      pod.startup.scheduledAt = clock.now();
      pod.unschedulable = undefined;
      context.emit({ kind: 'pod-scheduled', at: clock.now(), pod: pod.ref });
      if (rejection) {
        const { reason, message } = rejection;
        // Source: kubernetes/pkg/kubelet/kubelet.go, rejectPod
        pod.failure = { reason, message: `Pod was rejected: ${message}`, at: clock.now() };
        context.emit({ kind: 'rejected', at: clock.now(), pod: pod.ref, reason, message });
      }
      void persist();
      sync();
    },
    refuse(message) {
      if (pod.unschedulable?.message === message) return;
      pod.unschedulable = { message, since: pod.unschedulable?.since ?? clock.now() };
      context.emit({ kind: 'scheduling-failed', at: clock.now(), pod: pod.ref, message });
      void persist();
      sync();
    },
    disrupt(condition, why) {
      pod.disruption = { reason: condition, message: why.message };
      context.emit({ kind: 'disrupted', at: clock.now(), pod: pod.ref, ...why });
    },
    fail(failure) {
      if (pod.failure || isTerminal(pod.phase)) return;
      pod.failure = { ...failure, at: clock.now() };
      void persist();
      sync();
    },
    unseen: (inheritance) =>
      unseenDeaths(pod, inheritance, containers).map(({ at, tell }) => ({
        at,
        tell: () => {
          tell();
          refresh(at);
        },
      })),
    takeOver(inheritance) {
      takeOver(pod, inheritance, containers);
      sync();
    },
    exited(exit) {
      containers.exited(exit);
      refresh(Math.min(exit.finishedAt, clock.now()));
      sync();
    },
    delete(graceMs, request) {
      const at = clock.now();
      const before = pod.deletion;
      if (before && before.at + before.graceMs <= at + graceMs) return;
      pod.deletion = { at, graceMs, request: before?.request ?? request };
      if (!before) context.emit({ kind: 'pod-deleting', at, pod: pod.ref, request, graceMs });
      containers.abortStart();
      void persist();
      sync();
    },
    async control(verb, request) {
      checkVerb(pod, verb);
      if (verb === 'stop') {
        markStopped(pod, request);
        containers.abortStart();
      } else if (verb === 'start') markStarted(pod);
      else if (verb === 'restart') {
        markRerun(pod);
        containers.restart(request);
        pod.pausedAt = undefined;
      } else await hold(verb === 'pause');
      await persist();
      sync();
      if (verb !== 'stop') return;
      pod.pausedAt = undefined;
      await new Promise<void>((resolve) => {
        stopWaiters.add(resolve);
        refresh(clock.now());
      });
    },
    retry() {
      this.updateVolumes();
      if (pod.setUpFailure) pod.setUpFailure = { ...pod.setUpFailure, retryAt: 0 };
      for (const container of pod.containers) container.retryAt = undefined;
      sync();
    },
    changed() {
      void persist();
      sync();
    },
    updateVolumes() {
      if (pod.sandbox && !flight.removing) updateVolumes(pod, runtime.podDirectory(uid), world());
    },
    updateHosts() {
      if (!pod.sandbox || flight.removing) return;
      writePodHosts(pod, runtime.podDirectory(uid), context.node, context.serviceHosts?.(namespace));
    },
    detach() {
      detached = true;
      cancel?.();
      containers.detach();
    },
  };
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
