import type { Container } from '../../../model/kubernetes.ts';
import type { KillRequest } from '../../../model/life.ts';
import { isCodedError, messageOf } from '../../../util/coded-error.ts';
import { apiTime, type ContainerRecord, isRunning, type LifeRecord, type PodRecord } from '../pod-record.ts';
import { type ContainerProber, createContainerProber } from '../prober/container-prober.ts';
import type { ProbeSubject } from '../prober/probe.ts';
import type { ContainerConfig, ContainerExit, RunningContainer } from '../runtime/runtime.ts';
import { HOST_IMAGE, imageOf, lifeConfig, resolveContainer } from '../spec/container-config.ts';
import {
  MOST_LOG_LINES,
  makeMessageFile,
  messageOfLog,
  podFileMounts,
  takeMessage,
} from '../spec/pod-files.ts';
import { isSidecar, restartPolicyOf } from '../status/phase.ts';
import { isUnrequested, terminated } from '../status/termination.ts';
import { graceMsOf, type InFlight, type PodAction } from './decision.ts';
import { createImagePuller } from './image-puller.ts';
import { NO_LIMIT_MS } from './lifecycle-hook.ts';
import { goDuration, nextBackOff } from './restart-back-off.ts';
import type { WorkerContext } from './worker-context.ts';

type ContainerAction = Extract<PodAction, { readonly container: ContainerRecord }>;

/** The effects on the containers of one pod; when to do what is decided elsewhere. */
export interface ContainerWorker {
  inFlight(): Pick<InFlight, 'starting' | 'stopping'>;
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

const RETRY_MS = 10_000;
const STOP_RETRY_MS = 1000;
// What is left for a container to end by itself however long its preStop hook took.
// Source: kubernetes/pkg/kubelet/kuberuntime/kuberuntime_container.go, minimumGracePeriodInSeconds
const LEAST_GRACE_MS = 2000;
// Source: containerd and the kubelet report a container that never began as ended with 128 at the epoch.
const START_ERROR_EXIT = 128;

export function createContainerWorker(
  pod: PodRecord,
  context: WorkerContext,
  worker: { readonly sync: () => void; readonly persist: () => Promise<void> },
): ContainerWorker {
  const { clock, runtime } = context;
  const stopping = new Map<string, number>();
  const probers = new Map<string, ContainerProber>();
  const earlyExits: ContainerExit[] = [];
  /** What ends with the life it is about: hooks under way. */
  const hooks = new Map<string, AbortController>();
  const preStopped = new WeakSet<LifeRecord>();
  const images = createImagePuller(pod, context);
  let detached = false;
  let starting: { readonly name: string; readonly abort: AbortController } | undefined;

  // Asked for once: it is made anew each time, also when the pod has just been removed.
  let folder: string | undefined;
  const podDirectory = () => {
    folder ??= runtime.podDirectory(pod.ref.uid);
    return folder;
  };
  const specOf = (container: ContainerRecord): Container =>
    [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(({ name }) => name === container.name)!;
  const about = (container: ContainerRecord, attempt = container.life?.attempt ?? 0) => ({
    at: clock.now(),
    pod: pod.ref,
    container: container.name,
    init: container.init,
    attempt,
  });

  async function start(container: ContainerRecord): Promise<void> {
    const abort = new AbortController();
    starting = { name: container.name, abort };
    try {
      const attempt = container.life === undefined ? 0 : container.life.attempt + 1;
      if (!(await images.ensure(container, specOf(container), attempt, abort.signal))) return;
      const config = configure(container, attempt);
      if (!config) return;
      await forgetLife(container);
      if (abort.signal.aborted) return;
      await run(container, config);
    } catch (error) {
      context.onError(error);
      fail(container, 'CreateContainerError', messageOf(error));
    } finally {
      starting = undefined;
      worker.sync();
    }
  }

  function configure(container: ContainerRecord, attempt: number): ContainerConfig | undefined {
    try {
      return resolveContainer(specOf(container), attempt, pod, {
        references: context.references(pod.ref.namespace),
        node: context.node,
        podDirectory: podDirectory(),
        ...imageUser(specOf(container)),
      });
    } catch (error) {
      const message = messageOf(error);
      fail(container, isCodedError(error) ? error.code : 'CreateContainerConfigError', message);
      context.emit({
        kind: 'config-failed',
        at: clock.now(),
        pod: pod.ref,
        container: container.name,
        message,
      });
      return undefined;
    }
  }

  /** A life's remains go only when its death is durable: until then they are the proof of it. */
  async function forgetLife(container: ContainerRecord): Promise<void> {
    if (!container.life?.id) return;
    await worker.persist();
    await runtime.removeContainer(container.life.id);
  }

  async function run(container: ContainerRecord, config: ContainerConfig): Promise<void> {
    const life = lifeConfig(config, specOf(container), context.salt);
    try {
      makeMessageFile(podDirectory(), container.name);
      const files = podFileMounts(specOf(container), podDirectory(), config.mounts);
      const running = await runtime.startContainer({ ...config, mounts: [...config.mounts, ...files] });
      // Nobody looks any more: the next agent takes it in.
      if (detached) return;
      begin(container, { ...running, config: life }, specOf(container).lifecycle?.postStart !== undefined);
    } catch (error) {
      const [reason, message] = [isCodedError(error) ? error.code : 'CreateContainerError', messageOf(error)];
      context.emit({ ...about(container, config.attempt), kind: 'start-failed', reason, message });
      if (reason !== 'RunContainerError') return fail(container, reason, message);
      failStart(container, config.attempt, life, message);
      return;
    }
    await postStart(container);
  }

  /**
   * The container counts as started when its hook has ended well; else it is killed. A container that died meanwhile
   * is told by its death alone. Source: kuberuntime_container.go, startContainer
   */
  async function postStart(container: ContainerRecord): Promise<void> {
    const { life } = container;
    const handler = specOf(container).lifecycle?.postStart;
    if (!handler || !life || !isRunning(container)) return;
    worker.sync();
    const hook = new AbortController();
    hooks.set(container.name, hook);
    const failure = await context.runHook(handler, subjectOf(container), NO_LIMIT_MS, hook.signal);
    if (detached || life.end) return;
    life.postStart = undefined;
    if (failure === undefined || life.killRequest) return watch(container);
    const message = failure.slice(0, LONGEST_HOOK_MESSAGE);
    context.emit({ ...about(container), kind: 'hook-failed', hook: 'postStart', message });
    container.waiting = { reason: 'PostStartHookError', message };
    kill(container, graceMsOf(pod), {
      by: 'hook',
      message: `Container ${container.name} failed its postStart hook, will be killed`,
      at: clock.now(),
    });
  }

  const subjectOf = (container: ContainerRecord): ProbeSubject => {
    const ip = pod.sandbox?.ip ?? (sharesHostNetwork(pod) ? '127.0.0.1' : undefined);
    return {
      containerId: container.life!.id,
      container: specOf(container),
      ...(ip === undefined ? {} : { ip }),
    };
  };

  /** Nothing was started: shows why, and tries again a little later. */
  function fail(container: ContainerRecord, reason: string, message: string): void {
    container.waiting = { reason, message };
    container.retryAt = clock.now() + RETRY_MS;
  }

  function failStart(
    container: ContainerRecord,
    attempt: number,
    config: LifeRecord['config'],
    message: string,
  ): void {
    const now = clock.now();
    open(container, { attempt, id: '', pid: 0, startedAt: now, cgroup: {}, config });
    container.life!.end = {
      containerID: '',
      exitCode: START_ERROR_EXIT,
      finishedAt: apiTime(now),
      message,
      reason: 'StartError',
      startedAt: apiTime(0),
    };
    container.life!.endedAt = now;
    container.waiting = { reason: 'RunContainerError', message };
    container.deaths.StartError = (container.deaths.StartError ?? 0) + 1;
    void worker.persist();
  }

  /** Puts a new life in place of the one before, and moves the back-off on. */
  function open(container: ContainerRecord, life: LifeRecord): void {
    const before = container.life;
    if (container.backingOff) {
      container.backOffMs += Math.max(0, life.startedAt - container.backingOff.sinceMs);
      container.backingOff = undefined;
    }
    if (before?.endedAt !== undefined) {
      container.previous = before.end;
      container.backOff = nextBackOff(context.backOff, container.backOff, before.endedAt, life.startedAt);
    }
    container.life = life;
    container.config = life.config;
    container.waiting = undefined;
    container.retryAt = undefined;
    container.rerun = undefined;
  }

  function begin(
    container: ContainerRecord,
    running: RunningContainer & Pick<LifeRecord, 'config'>,
    hasHook = false,
  ): void {
    const { attempt, id, pid, startedAt, cgroup, config } = running;
    const life = { attempt, id, pid, startedAt, cgroup, config };
    open(container, hasHook ? { ...life, postStart: 'running' } : life);
    context.emit({ ...about(container), kind: 'container-started', containerId: id, pid });
    if (!hasHook) watch(container);
    void worker.persist();
    for (const exit of earlyExits.splice(0)) exited(exit);
  }

  function watch(
    container: ContainerRecord,
    known?: { readonly started: boolean; readonly ready: boolean },
  ): void {
    const life = container.life!;
    if (pod.pausedAt !== undefined) return;
    const fresh = clock.now() - context.agentStartedAt < FRESH_MS;
    const prober = createContainerProber({
      subject: subjectOf(container),
      startedAt: life.startedAt,
      ...(known === undefined ? {} : { known }),
      clock,
      jitter: fresh ? context.random() : 0,
      run: context.runProbe,
      onResult: (result, inARow, threshold) => {
        const counts = container.probes[result.probe] ?? { succeeded: 0, failed: 0 };
        container.probes[result.probe] = counts;
        counts[result.ok ? 'succeeded' : 'failed'] += 1;
        context.emit({ ...about(container), kind: 'probe', result, inARow, threshold });
      },
      onLate: (result) => context.emit({ ...about(container), kind: 'late-answer', result }),
      onChange: () => {
        note(container, prober);
        worker.sync();
      },
      onFailed: (kind, graceMs) => {
        const message = `Container ${container.name} failed ${kind} probe, will be restarted`;
        kill(container, graceMs ?? graceMsOf(pod), { by: 'probe', message, at: clock.now() });
        worker.sync();
      },
    });
    probers.set(container.name, prober);
    note(container, prober);
  }

  function note(container: ContainerRecord, prober: ContainerProber): void {
    container.started = prober.started;
    container.ready = prober.ready;
  }

  function kill(container: ContainerRecord, graceMs: number, request: KillRequest): void {
    const life = container.life!;
    stopping.set(container.name, clock.now() + graceMs);
    probers.get(container.name)?.endKilling();
    if (life.killRequest === undefined) {
      life.killRequest = request;
      context.emit({ ...about(container), kind: 'killing', request });
    }
    hooks.get(container.name)?.abort();
    const turn = new AbortController();
    hooks.set(container.name, turn);
    const isHeld = pod.pausedAt !== undefined;
    // Durable first: a death must find its request even when this agent dies in between.
    worker
      .persist()
      .then(() => (isHeld ? runtime.unpauseContainer(life.id) : undefined))
      .then(() => preStop(container, life, graceMs, turn.signal))
      .then((leftMs) => (turn.signal.aborted ? undefined : runtime.stopContainer(life.id, leftMs)))
      .catch((error) => {
        context.onError(error);
        clock.setTimer(STOP_RETRY_MS, () => {
          stopping.delete(container.name);
          worker.sync();
        });
      });
  }

  /** Resolves with what is left of the grace. A hook that is late is left alone: its time is over. */
  async function preStop(
    container: ContainerRecord,
    life: LifeRecord,
    graceMs: number,
    signal: AbortSignal,
  ): Promise<number> {
    const handler = specOf(container).lifecycle?.preStop;
    if (!handler || graceMs <= 0 || life.end || signal.aborted || preStopped.has(life)) return graceMs;
    preStopped.add(life);
    const from = clock.monotonic();
    const failure = await context.runHook(handler, subjectOf(container), graceMs, signal);
    if (failure !== undefined && !signal.aborted) {
      const message = failure.slice(0, LONGEST_HOOK_MESSAGE);
      context.emit({ ...about(container), kind: 'hook-failed', hook: 'preStop', message });
    }
    return Math.max(LEAST_GRACE_MS, graceMs - (clock.monotonic() - from));
  }

  function exited(exit: ContainerExit): void {
    const container = pod.containers.find(({ name }) => name === exit.name);
    if (!container) return;
    const newest = container.life?.attempt ?? -1;
    if (exit.attempt > newest) {
      if (starting?.name === container.name) return void earlyExits.push(exit);
      // Started and ended while no agent could write it down.
      open(container, unwritten(container, exit));
    } else if (exit.attempt < newest || !isRunning(container)) return;
    end(container, exit, terminated(exit));
  }

  function end(container: ContainerRecord, exit: ContainerExit, how: NonNullable<LifeRecord['end']>): void {
    const life = container.life!;
    life.end = withMessage(container, how);
    life.postStart = undefined;
    hooks.get(container.name)?.abort();
    hooks.delete(container.name);
    life.endedAt = exit.finishedAt;
    probers.get(container.name)?.stop();
    probers.delete(container.name);
    stopping.delete(container.name);
    const sidecar = isSidecar(pod, container);
    container.started = false;
    container.ready = container.init && !sidecar && exit.exitCode === 0;
    const meantToGoOn = sidecar || (!container.init && restartPolicyOf(pod) === 'Always');
    const unrequested = isUnrequested(exit.exitCode, life.killRequest, meantToGoOn);
    const counts = unrequested ? container.deaths : container.requestedDeaths;
    counts[how.reason] = (counts[how.reason] ?? 0) + 1;
    container.oomKills += exit.oomKills ?? 0;
    context.emit({
      ...about(container),
      at: exit.finishedAt,
      kind: 'container-died',
      containerId: life.id,
      config: life.config,
      cgroup: life.cgroup,
      startedAt: life.startedAt,
      finishedAt: exit.finishedAt,
      exitCode: exit.exitCode,
      ...(exit.signal === undefined ? {} : { signal: exit.signal }),
      ...(exit.oomKills === undefined ? {} : { oomKills: exit.oomKills }),
      reason: how.reason,
      killRequest: life.killRequest ?? null,
      unrequested,
    });
    void worker.persist();
  }

  /** Its last words from its file; else, where it asks for that, the end of its log, which comes a little later. */
  function withMessage(
    container: ContainerRecord,
    how: NonNullable<LifeRecord['end']>,
  ): NonNullable<LifeRecord['end']> {
    const spec = specOf(container);
    const text = takeMessage(podDirectory(), container.name);
    if (text !== '') return { ...how, message: text };
    if (spec.terminationMessagePolicy === 'FallbackToLogsOnError' && how.exitCode !== 0)
      void addLogMessage(container, container.life!);
    return how;
  }

  async function addLogMessage(container: ContainerRecord, life: LifeRecord): Promise<void> {
    try {
      const lines = await runtime.logs(pod.ref.uid, container.name, life.attempt, { tail: MOST_LOG_LINES });
      const message = messageOfLog(lines.map(({ text }) => text));
      if (message === '' || !life.end || detached) return;
      life.end = { ...life.end, message };
      if (container.life !== life) container.previous = life.end;
      worker.sync();
      await worker.persist();
    } catch (error) {
      context.onError(error);
    }
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
    void worker.persist();
  }

  return {
    inFlight: () => ({ starting: starting?.name, stopping }),
    perform(action) {
      const { container } = action;
      if (action.kind === 'start') void start(container);
      else if (action.kind === 'stop') kill(container, action.graceMs, action.request);
      else if (action.kind === 'back-off') backOffAt(container, action.delayMs, action.untilMs);
      else images.showBackOff(container);
    },
    exited,
    attach(running) {
      const container = pod.containers.find(({ name }) => name === running.name);
      if (!container) return;
      if (container.life?.id === running.id) {
        // A hook ran with the agent that is gone; the kubelet does not run it again either.
        container.life.postStart = undefined;
        return watch(container, { started: container.started, ready: container.ready });
      }
      begin(container, { ...running, config: container.config });
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
      end(container, exit, { ...terminated(exit, 'ContainerStatusUnknown'), message });
    },
    restart(request) {
      for (const container of pod.containers.filter(isRunning)) kill(container, graceMsOf(pod), request);
    },
    async hold(paused) {
      for (const container of pod.containers.filter(isRunning)) {
        const { id } = container.life!;
        if (paused) await runtime.pauseContainer(id);
        else await runtime.unpauseContainer(id);
        if (!isRunning(container)) continue;
        if (paused) {
          probers.get(container.name)?.stop();
          probers.delete(container.name);
        } else if (!probers.has(container.name)) {
          watch(container, { started: container.started, ready: container.ready });
        }
      }
    },
    abortStart: () => starting?.abort.abort(),
    detach() {
      detached = true;
      starting?.abort.abort();
      for (const hook of hooks.values()) hook.abort();
      for (const prober of probers.values()) prober.stop();
      probers.clear();
    },
  };
}

/** A pod without an address shares the host's, unless a process holds a network namespace for it. */
export const sharesHostNetwork = (pod: PodRecord) =>
  pod.spec.hostNetwork === true || pod.sandbox?.pid === undefined;

const LONGEST_HOOK_MESSAGE = 1024;

/** Programs of this host run as whoever runs us; of images it is not known. */
const imageUser = (spec: Container) => {
  const uid = imageOf(spec) === HOST_IMAGE ? process.getuid?.() : undefined;
  return uid === undefined ? {} : { imageUid: uid };
};

// Probes of containers met this soon after the agent's start are spread over their period.
const FRESH_MS = 10_000;

const unwritten = (container: ContainerRecord, exit: ContainerExit): LifeRecord => ({
  attempt: exit.attempt,
  id: exit.containerId,
  pid: 0,
  startedAt: exit.startedAt,
  cgroup: {},
  config: container.config,
});
