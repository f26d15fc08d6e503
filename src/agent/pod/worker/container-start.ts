import type { Container } from '../../../model/kubernetes.ts';
import type { KillRequest } from '../../../model/life.ts';
import { isCodedError, messageOf } from '../../../util/coded-error.ts';
import { apiTime, type ContainerRecord, isRunning, type LifeRecord } from '../pod-record.ts';
import type { ContainerConfig, RunningContainer } from '../runtime/runtime.ts';
import { imageOf, lifeConfig, resolveContainer } from '../spec/container-config.ts';
import { makeMessageFile, podFileMounts } from '../spec/pod-files.ts';
import type { ContainerProbes } from './container-probes.ts';
import { type ContainerScope, LONGEST_HOOK_MESSAGE } from './container-scope.ts';
import { graceMsOf } from './decision.ts';
import type { ImagePuller } from './image-puller.ts';
import { NO_LIMIT_MS } from './lifecycle-hook.ts';
import { nextBackOff } from './restart-back-off.ts';

const RETRY_MS = 10_000;
// Source: containerd and the kubelet report a container that never began as ended with 128 at the epoch.
const START_ERROR_EXIT = 128;

/** Gets containers running: image, configuration, first process, postStart hook; one at a time. */
export interface ContainerStart {
  /** The name of the container that is being started. */
  starting(): string | undefined;
  start(container: ContainerRecord): Promise<void>;
  abort(): void;
  /** Puts a new life in place of the one before, and moves the back-off on. */
  open(container: ContainerRecord, life: LifeRecord): void;
  /** A life has begun: tells of it. */
  begin(container: ContainerRecord, running: RunningContainer & Pick<LifeRecord, 'config'>): void;
}

export function createContainerStart(
  scope: ContainerScope,
  others: {
    readonly images: ImagePuller;
    readonly probes: ContainerProbes;
    readonly kill: (container: ContainerRecord, graceMs: number, request: KillRequest) => void;
    /** A life was put into the record: deaths that were told before can be placed. */
    readonly onBegun: () => void;
  },
): ContainerStart {
  const { images, probes, kill, onBegun } = others;
  const { pod, context, hooks, specOf, about, podDirectory, subjectOf } = scope;
  const { clock, runtime } = context;
  let starting: { readonly name: string; readonly abort: AbortController } | undefined;

  async function start(container: ContainerRecord): Promise<void> {
    const abort = new AbortController();
    starting = { name: container.name, abort };
    try {
      const attempt = container.life === undefined ? 0 : container.life.attempt + 1;
      if (!(await images.ensure(container, specOf(container), attempt, abort.signal))) return;
      const config = await configure(container, attempt);
      if (!config || abort.signal.aborted) return;
      await forgetLife(container);
      if (abort.signal.aborted) return;
      await run(container, config);
    } catch (error) {
      context.onError(error);
      fail(container, 'CreateContainerError', messageOf(error));
    } finally {
      starting = undefined;
      scope.sync();
    }
  }

  async function configure(
    container: ContainerRecord,
    attempt: number,
  ): Promise<ContainerConfig | undefined> {
    try {
      const image = imageOf(specOf(container));
      const imageUser = mustNotBeRoot(specOf(container)) ? await runtime.imageUser(image) : undefined;
      return resolveContainer(specOf(container), attempt, pod, {
        references: context.references(pod.ref.namespace),
        node: context.node,
        podDirectory: podDirectory(),
        imageUser,
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

  const mustNotBeRoot = ({ securityContext }: Container) =>
    securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;

  /** A life's remains go only when its death is durable: until then they are the proof of it. */
  async function forgetLife(container: ContainerRecord): Promise<void> {
    if (!container.life?.id) return;
    await scope.persist();
    await runtime.removeContainer(container.life.id);
  }

  async function run(container: ContainerRecord, config: ContainerConfig): Promise<void> {
    const life = lifeConfig(config, specOf(container), context.salt);
    try {
      makeMessageFile(podDirectory(), container.name);
      const files = podFileMounts(specOf(container), podDirectory(), config.mounts);
      const running = await runtime.startContainer({ ...config, mounts: [...config.mounts, ...files] });
      // Nobody looks any more: the next agent takes it in.
      if (scope.detached()) return;
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
    scope.sync();
    const hook = new AbortController();
    hooks.set(container.name, hook);
    const failure = await context.runHook(handler, subjectOf(container), NO_LIMIT_MS, hook.signal);
    if (scope.detached() || life.end) return;
    // Cut off by the end of its container: what has not come to run is not ready either.
    if (failure !== undefined && life.killRequest) return;
    life.postStart = undefined;
    if (failure === undefined) return probes.watch(container);
    const message = failure.slice(0, LONGEST_HOOK_MESSAGE);
    context.emit({ ...about(container), kind: 'hook-failed', hook: 'postStart', message });
    container.waiting = { reason: 'PostStartHookError', message };
    kill(container, graceMsOf(pod), {
      by: 'hook',
      message: `Container ${container.name} failed its postStart hook, will be killed`,
      at: clock.now(),
    });
  }

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
    void scope.persist();
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
    const { attempt, id, pid, startedAt, cgroup, config, stopSignal = 'SIGTERM' } = running;
    const life = { attempt, id, pid, startedAt, cgroup, config, stopSignal };
    open(container, hasHook ? { ...life, postStart: 'running' } : life);
    // When it began, not when that was heard of: it may have died by then.
    context.emit({ ...about(container), at: startedAt, kind: 'container-started', containerId: id, pid });
    if (!hasHook) probes.watch(container);
    void scope.persist();
    onBegun();
  }

  return {
    starting: () => starting?.name,
    start,
    abort: () => starting?.abort.abort(),
    open,
    begin,
  };
}
