import type { KillRequest } from '../../../model/life.ts';
import type { ContainerRecord, LifeRecord } from '../pod-record.ts';
import type { ContainerExit } from '../runtime/runtime.ts';
import { MOST_LOG_LINES, messageOfLog, takeMessage } from '../spec/pod-files.ts';
import { isSidecar, restartPolicyOf } from '../status/phase.ts';
import { isUnrequested } from '../status/termination.ts';
import type { ContainerProbes } from './container-probes.ts';
import { type ContainerScope, LONGEST_HOOK_MESSAGE } from './container-scope.ts';

const STOP_RETRY_MS = 1000;
// What is left for a container to end by itself however long its preStop hook took.
// Source: kubernetes/pkg/kubelet/kuberuntime/kuberuntime_container.go, minimumGracePeriodInSeconds
const LEAST_GRACE_MS = 2000;

/** Ends lives that are to end, and tells of those that have. */
export interface ContainerEnd {
  /** Until when each container that is being stopped has time. */
  readonly stopping: ReadonlyMap<string, number>;
  /** Whose preStop hook has begun before they are being stopped. */
  readonly preStopping: ReadonlySet<string>;
  /** Begins the preStop hook of a container that will be stopped a little later, for the same reason. */
  beginPreStop(container: ContainerRecord, graceMs: number, request: KillRequest): void;
  /** Runs the preStop hook, then stops it; its death tells who asked for it. */
  kill(container: ContainerRecord, graceMs: number, request: KillRequest): void;
  /** The life is over: counts and tells it. */
  end(container: ContainerRecord, exit: ContainerExit, how: NonNullable<LifeRecord['end']>): void;
}

export function createContainerEnd(scope: ContainerScope, probes: () => ContainerProbes): ContainerEnd {
  const { pod, context, hooks, specOf, about, podDirectory, subjectOf } = scope;
  const { clock, runtime } = context;
  const stopping = new Map<string, number>();
  const preStopped = new WeakSet<LifeRecord>();
  /** Resolves when a hook that was begun early has ended. */
  const begun = new WeakMap<LifeRecord, Promise<unknown>>();
  const preStopping = new Set<string>();
  const earlyKey = ({ name }: ContainerRecord) => `pre-stop ${name}`;

  /** Says that it is to end, and who asked for that. */
  function ask(container: ContainerRecord, life: LifeRecord, request: KillRequest): void {
    probes().endKilling(container);
    if (life.killRequest !== undefined) return;
    life.killRequest = request;
    context.emit({ ...about(container), kind: 'killing', request });
  }

  function beginPreStop(container: ContainerRecord, graceMs: number, request: KillRequest): void {
    const life = container.life!;
    preStopping.add(container.name);
    ask(container, life, request);
    const turn = new AbortController();
    hooks.set(earlyKey(container), turn);
    begun.set(
      life,
      scope
        .persist()
        .then(() => preStop(container, life, graceMs, turn.signal))
        .catch(context.onError),
    );
  }

  function kill(container: ContainerRecord, graceMs: number, request: KillRequest): void {
    const life = container.life!;
    stopping.set(container.name, clock.now() + graceMs);
    ask(container, life, request);
    hooks.get(container.name)?.abort();
    const turn = new AbortController();
    hooks.set(container.name, turn);
    const isHeld = pod.pausedAt !== undefined;
    // Durable first: a death must find its request even when this agent dies in between.
    scope
      .persist()
      .then(() => (isHeld ? runtime.unpauseContainer(life.id) : undefined))
      .then(() => rest(life, graceMs) ?? preStop(container, life, graceMs, turn.signal))
      .then((leftMs) => (turn.signal.aborted ? undefined : runtime.stopContainer(life.id, leftMs)))
      .catch((error) => {
        context.onError(error);
        clock.setTimer(STOP_RETRY_MS, () => {
          stopping.delete(container.name);
          scope.sync();
        });
      });
  }

  /** Of one whose hook began early: resolves with what is left of the grace once that has ended; else undefined. */
  function rest(life: LifeRecord, graceMs: number): Promise<number> | undefined {
    const hook = begun.get(life);
    if (!hook || life.end) return undefined;
    const from = clock.monotonic();
    return new Promise((resolve) => {
      const end = () => resolve(Math.max(LEAST_GRACE_MS, graceMs - (clock.monotonic() - from)));
      const cancel = clock.setTimer(graceMs, end);
      void hook.then(() => {
        cancel();
        end();
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

  function end(container: ContainerRecord, exit: ContainerExit, how: NonNullable<LifeRecord['end']>): void {
    const life = container.life!;
    life.end = withMessage(container, how);
    life.postStart = undefined;
    hooks.get(container.name)?.abort();
    hooks.delete(container.name);
    hooks.get(earlyKey(container))?.abort();
    hooks.delete(earlyKey(container));
    preStopping.delete(container.name);
    life.endedAt = exit.finishedAt;
    probes().stop(container);
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
    void scope.persist();
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
      if (message === '' || !life.end || scope.detached()) return;
      life.end = { ...life.end, message };
      if (container.life !== life) container.previous = life.end;
      scope.sync();
      await scope.persist();
    } catch (error) {
      context.onError(error);
    }
  }

  return { stopping, preStopping, beginPreStop, kill, end };
}
