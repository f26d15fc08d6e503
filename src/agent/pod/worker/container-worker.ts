import type { KillRequest } from '../../../model/life.ts';
import { type ContainerRecord, isRunning, type LifeRecord, type PodRecord } from '../pod-record.ts';
import type { ContainerExit, RunningContainer } from '../runtime/runtime.ts';
import { terminated } from '../status/termination.ts';
import { createContainerEnd } from './container-end.ts';
import { type ContainerProbes, createContainerProbes } from './container-probes.ts';
import { createContainerScope } from './container-scope.ts';
import { createContainerStart } from './container-start.ts';
import { graceMsOf, type InFlight, type PodAction } from './decision.ts';
import { createImagePuller } from './image-puller.ts';
import { goDuration } from './restart-back-off.ts';
import type { WorkerContext } from './worker-context.ts';

type ContainerAction = Extract<PodAction, { readonly container: ContainerRecord }>;

/** The effects on the containers of one pod; when to do what is decided elsewhere. */
export interface ContainerWorker {
  inFlight(): Pick<InFlight, 'starting' | 'stopping' | 'preStopping'>;
  perform(action: ContainerAction): void;
  exited(exit: ContainerExit): void;
  /** Takes over a container that runs: one it knows, or one an earlier agent started without writing it down. */
  attach(running: RunningContainer): void;
  /** Ends the life of a container whose exit nobody can tell. */
  lost(container: ContainerRecord, aliveAt: number): void;
  abortStart(): void;
  /** Ends what runs, to run again. */
  restart(request: KillRequest): void;
  /** Holds what runs still, or lets it go on. A container held still is not probed. */
  hold(paused: boolean): Promise<void>;
  detach(): void;
}

export function createContainerWorker(
  pod: PodRecord,
  context: WorkerContext,
  worker: { readonly sync: () => void; readonly persist: () => Promise<void> },
): ContainerWorker {
  const { runtime } = context;
  const earlyExits: ContainerExit[] = [];
  const images = createImagePuller(pod, context);
  let detached = false;
  const scope = createContainerScope(pod, context, { ...worker, detached: () => detached });
  const { about } = scope;
  const ends = createContainerEnd(scope, (): ContainerProbes => probes);
  const probes = createContainerProbes(scope, ends.kill);
  const starts = createContainerStart(scope, {
    images,
    probes,
    kill: ends.kill,
    onBegun() {
      for (const exit of earlyExits.splice(0)) exited(exit);
    },
  });

  function exited(exit: ContainerExit): void {
    const container = pod.containers.find(({ name }) => name === exit.name);
    if (!container) return;
    const newest = container.life?.attempt ?? -1;
    if (exit.attempt > newest) {
      if (starts.starting() === container.name) return void earlyExits.push(exit);
      // Started and ended while no agent could write it down.
      starts.open(container, unwritten(container, exit));
    } else if (exit.attempt < newest || !isRunning(container)) return;
    ends.end(container, exit, terminated(exit));
  }

  function backOffAt(container: ContainerRecord, delayMs: number, untilMs: number): void {
    const { name, namespace, uid } = pod.ref;
    container.waiting = {
      reason: 'CrashLoopBackOff',
      message: `back-off ${goDuration(delayMs)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`,
    };
    container.backingOff = { delayMs, sinceMs: container.life!.endedAt!, untilMs };
    container.crashLoops += 1;
    context.emit({ ...about(container), kind: 'back-off', delayMs, untilMs });
    void scope.persist();
  }

  return {
    inFlight: () => ({
      starting: starts.starting(),
      stopping: ends.stopping,
      preStopping: ends.preStopping,
    }),
    perform(action) {
      const { container } = action;
      if (action.kind === 'start') void starts.start(container);
      else if (action.kind === 'stop') ends.kill(container, action.graceMs, action.request);
      else if (action.kind === 'pre-stop') ends.beginPreStop(container, action.graceMs, action.request);
      else if (action.kind === 'back-off') backOffAt(container, action.delayMs, action.untilMs);
      else images.showBackOff(container);
    },
    exited,
    attach(running) {
      const container = pod.containers.find(({ name }) => name === running.name);
      if (!container) return;
      if (container.life?.id === running.id) {
        if (container.life.postStart === 'running' && container.life.killRequest) return;
        // A hook ran with the agent that is gone; the kubelet does not run it again either.
        container.life.postStart = undefined;
        return probes.watch(container, { started: container.started, ready: container.ready });
      }
      starts.begin(container, { ...running, config: container.config });
    },
    lost(container, aliveAt) {
      const { id, attempt, startedAt } = container.life!;
      const finishedAt = Math.max(startedAt, aliveAt);
      const exit: ContainerExit = {
        containerId: id,
        podUid: pod.ref.uid,
        name: container.name,
        attempt,
        startedAt,
        finishedAt,
        exitCode: 137,
      };
      // Source: kubernetes/pkg/kubelet/kubelet_pods.go, convertStatusToAPIStatus
      const message = 'The container could not be located when the agent came back';
      ends.end(container, exit, { ...terminated(exit, 'ContainerStatusUnknown'), message });
    },
    restart(request) {
      for (const container of pod.containers.filter(isRunning)) ends.kill(container, graceMsOf(pod), request);
    },
    async hold(paused) {
      for (const container of pod.containers.filter(isRunning)) {
        const { id } = container.life!;
        if (paused) await runtime.pauseContainer(id);
        else await runtime.unpauseContainer(id);
        if (!isRunning(container)) continue;
        if (paused) {
          probes.stop(container);
        } else if (!probes.has(container)) {
          probes.watch(container, { started: container.started, ready: container.ready });
        }
      }
    },
    abortStart: starts.abort,
    detach() {
      detached = true;
      starts.abort();
      for (const hook of scope.hooks.values()) hook.abort();
      probes.close();
    },
  };
}

const unwritten = (container: ContainerRecord, exit: ContainerExit): LifeRecord => ({
  attempt: exit.attempt,
  id: exit.containerId,
  pid: 0,
  startedAt: exit.startedAt,
  cgroup: {},
  config: container.config,
});
