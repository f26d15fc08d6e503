import type { CancelTimer, Clock } from '../util/clock.ts';
import type { Point } from '../wire/catalogue/signal.ts';
import type { EventRecorder } from './events/event-recorder.ts';
import type { FlightRecorder } from './events/flight-recorder.ts';
import type { PodManager } from './pod/pod-manager.ts';
import type { Enforcement } from './pod/runtime/runtime.ts';
import type { PodView, WorkloadView } from './pod/view.ts';
import { createSeriesEnds } from './signals/series-ends.ts';
import { type Observed, pointsBesidePods, pointsOf, pointsOfPod } from './signals/signals.ts';
import type { ClockOffset } from './stats/clock-offset.ts';
import type { DnsWatch, LookedUpPod } from './stats/dns/dns-watch.ts';
import type { OomWatch } from './stats/oom-watch.ts';
import type { StatsReader, Usages } from './stats/stats-reader.ts';
import type { WatchedPods } from './watched-pods.ts';

export interface VitalsLoopOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly node: string;
  readonly version: string;
  readonly enforcement: Enforcement;
  readonly pods: Pick<WatchedPods, 'view' | 'views' | 'recent'>;
  /** The node as the API shows it, and evictions by what was short. */
  readonly nodeState: Pick<PodManager, 'node' | 'evictions'>;
  readonly stats: StatsReader;
  readonly oomWatch: Pick<OomWatch, 'track'>;
  readonly dns: Pick<DnsWatch, 'track' | 'lookups'>;
  readonly clockOffset: ClockOffset;
  readonly flightRecorder: FlightRecorder;
  readonly recorder: Pick<
    EventRecorder,
    'podChanged' | 'verdict' | 'workloadChanged' | 'nodeChanged' | 'dropped'
  >;
  /** Takes one group after the other, each of one pod or of none; resolves when all are in the spool. */
  readonly sendPoints: (groups: Iterable<readonly Point[]>, atMs: number) => Promise<void>;
  readonly dropped: () => Readonly<Record<string, number>>;
  readonly onError: (error: unknown) => void;
}

/** Takes the vital signs: one second into the flight recorder, every interval to the wire, and at once when asked. */
export interface VitalsLoop {
  start(): void;
  /** Follows a pod's containers that started since the last second. */
  track(uid: string): void;
  /** Sends one pod's points now. */
  flush(uid: string): Promise<void>;
  /** Everything there is now, for a scraper. */
  points(): readonly Point[];
  /** Sends everything a last time, pods that are gone as ended. */
  last(): Promise<void>;
  close(): Promise<void>;
}

const SECOND_MS = 1_000;
/** The scope of series that belong to no one pod. */
const BESIDE_PODS = '';

export function createVitalsLoop(options: VitalsLoopOptions): VitalsLoop {
  const { clock, stats, flightRecorder, recorder, intervalMs } = options;
  const ends = createSeriesEnds();
  const startedAt = clock.now();
  const told = new Map<string, { readonly object: string | undefined; readonly view: WorkloadView }>();
  let cancel: CancelTimer = () => {};
  let closed = false;
  /** As they were when last tracked. */
  let tracked = new Map<string, PodView>();
  /** Pods of which nothing was sent yet. */
  const newcomers = new Set<string>();
  let nextSendMs = 0;
  let lastSentMs = 0;
  let underWay: Promise<void> = Promise.resolve();

  const trackOne = (pod: PodView) => {
    const containers = pod.containers.flatMap(({ name, running }) => (running ? [{ name, ...running }] : []));
    stats.track({
      uid: pod.ref.uid,
      ...(pod.sandbox?.pid === undefined ? {} : { sandboxPid: pod.sandbox.pid }),
      hostNetwork: pod.object.spec.hostNetwork ?? false,
      cgroup: pod.sandbox?.cgroup ?? {},
      containers,
    });
    for (const container of containers) options.oomWatch.track(container);
  };
  /** Made anew when a pod has changed. */
  let lookedUp: readonly LookedUpPod[] | undefined;
  const track = (pods: readonly PodView[]) => {
    const now = new Map<string, PodView>();
    let changed = pods.length !== tracked.size;
    for (const pod of pods) {
      now.set(pod.ref.uid, pod);
      if (tracked.get(pod.ref.uid) === pod) continue;
      changed = true;
      trackOne(pod);
    }
    if (changed) lookedUp = undefined;
    lookedUp ??= pods.flatMap(toLookedUp);
    options.dns.track(lookedUp);
    if (!changed) return;
    for (const uid of tracked.keys()) if (!now.has(uid)) stats.untrack(uid);
    for (const uid of now.keys()) if (!tracked.has(uid)) newcomers.add(uid);
    tracked = now;
  };

  const moreOf = (uid: string) => ({ lookups: options.dns.lookups(uid), verdict: recorder.verdict(uid) });

  const agentFacts = () => {
    const { user, system } = process.cpuUsage();
    const clockOffsetSeconds = options.clockOffset.seconds();
    return {
      node: options.node,
      version: options.version,
      level: options.enforcement.level,
      startedAt,
      cpuSeconds: (user + system) / 1e6,
      memoryBytes: process.memoryUsage.rss(),
      ...(clockOffsetSeconds === undefined ? {} : { clockOffsetSeconds }),
      dropped: { ...options.dropped(), events: recorder.dropped },
    };
  };
  const observe = () => {
    const { pods, workloads, objects } = options.pods.views();
    const node = stats.node();
    return {
      pods,
      workloads,
      objects,
      usages: stats.latest(),
      more: moreOf,
      nodeObject: options.nodeState.node(),
      evictions: options.nodeState.evictions(),
      agent: agentFacts(),
      ...(node ? { node } : {}),
    };
  };

  // A series takes one sample a millisecond, and they must go forward.
  const sendingTime = () => {
    lastSentMs = Math.max(clock.now(), lastSentMs + 1);
    return lastSentMs;
  };

  /** One after the other: points of pods that were sent already are nothing to keep. */
  function* groupsOf(
    pods: readonly PodView[],
    usages: (uid: string) => Usages,
  ): Generator<readonly Point[], void> {
    for (const pod of pods) {
      const { uid } = pod.ref;
      const own = pointsOfPod(pod, usages(uid), moreOf(uid));
      yield own;
      yield ends.update(uid, own);
    }
  }
  function* groupsBesidePods(observed: Omit<Observed, 'usages'>): Generator<readonly Point[], void> {
    const beside = pointsBesidePods(observed);
    yield beside;
    yield ends.update(BESIDE_PODS, beside);
  }

  // Rules join a pod's series with its owner's: neither should wait for the other.
  const sendNewcomers = async () => {
    const observed = observe();
    const pods = observed.pods.filter(({ ref }) => newcomers.has(ref.uid));
    newcomers.clear();
    const groups = function* () {
      yield* groupsOf(pods, () => observed.usages);
      yield* groupsBesidePods(observed);
    };
    await options.sendPoints(groups(), sendingTime());
  };

  const sendEverything = async () => {
    newcomers.clear();
    const observed = observe();
    const living = new Set(observed.pods.map((pod) => pod.ref.uid));
    const groups = function* () {
      yield* groupsOf(observed.pods, () => observed.usages);
      yield* groupsBesidePods(observed);
      for (const scope of ends.scopes()) {
        if (scope !== BESIDE_PODS && !living.has(scope)) yield ends.end(scope);
      }
    };
    await options.sendPoints(groups(), sendingTime());
  };

  // Of many deaths at once: those that come while some are on their way go together.
  const unsent = new Set<string>();
  let flushing: Promise<void> | undefined;
  const flushUnsent = async () => {
    while (unsent.size > 0) {
      const pods = [...unsent].flatMap((uid) => options.pods.view(uid) ?? []);
      unsent.clear();
      if (pods.length > 0) await options.sendPoints(groupsOf(pods, stats.readPod), sendingTime());
    }
  };

  const recordWorkloads = (workloads: readonly WorkloadView[]) => {
    const now = new Map(workloads.map((view) => [`${view.type} ${view.namespace}/${view.name}`, view]));
    for (const [key, { view }] of told) {
      if (now.has(key)) continue;
      recorder.workloadChanged(view, true);
      told.delete(key);
    }
    for (const [key, view] of now) {
      const object = JSON.stringify(view.object);
      if (told.get(key)?.object === object) continue;
      recorder.workloadChanged(view);
      told.set(key, { object, view });
    }
  };

  const second = async () => {
    const { pods, workloads } = options.pods.recent();
    const before = tracked;
    track(pods);
    options.clockOffset.look();
    const usages = await stats.tick();
    for (const pod of pods) {
      const { listening, tcp } = usages.pods.get(pod.ref.uid) ?? {};
      for (const { running } of pod.containers) {
        const usage = running && usages.containers.get(running.id);
        if (usage) flightRecorder.record(running.id, usage);
        if (running && listening) flightRecorder.recordListening(running.id, listening);
        if (running && tcp) flightRecorder.recordNetwork(running.id, tcp);
      }
      // Whether time alone has changed what is to be said of a pod, the recorder looks itself.
      if (before.get(pod.ref.uid) !== pod) recorder.podChanged(pod);
    }
    recordWorkloads(workloads);
    if (clock.monotonic() < nextSendMs) {
      if (newcomers.size > 0) await sendNewcomers();
      return;
    }
    nextSendMs = clock.monotonic() + intervalMs;
    await sendEverything();
  };

  const loop = () => {
    if (closed) return;
    underWay = second()
      .catch(options.onError)
      .finally(() => {
        if (!closed) cancel = clock.setTimer(SECOND_MS, loop, { unref: true });
      });
  };

  return {
    start() {
      const { level, notEnforced } = options.enforcement;
      recorder.nodeChanged({ version: options.version, level, notEnforced });
      loop();
    },
    track(uid) {
      const pod = options.pods.view(uid);
      if (!pod) return;
      trackOne(pod);
      lookedUp = undefined;
      if (!tracked.has(uid)) newcomers.add(uid);
      tracked.set(uid, pod);
    },
    flush(uid) {
      unsent.add(uid);
      flushing ??= flushUnsent().finally(() => {
        flushing = undefined;
      });
      return flushing;
    },
    points: () => pointsOf(observe()),
    last: () => sendEverything().catch(options.onError),
    async close() {
      closed = true;
      cancel();
      await underWay;
    },
  };
}

/** One with a network of its own and somebody in it. */
function toLookedUp({ ref, sandbox, object, containers }: PodView): readonly LookedUpPod[] {
  const containerPid = containers.find(({ running }) => running)?.running?.pid;
  if (sandbox?.pid === undefined || containerPid === undefined || object.spec.hostNetwork) return [];
  return [{ uid: ref.uid, sandboxPid: sandbox.pid, containerPid }];
}
