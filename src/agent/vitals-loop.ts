import type { CancelTimer, Clock } from '../util/clock.ts';
import type { Point } from '../wire/catalogue/signal.ts';
import type { FlightRecorder } from './events/flight-recorder.ts';
import type { PodManager } from './pod/pod-manager.ts';
import type { PodView, WorkloadView } from './pod/view.ts';
import type { SeriesEnds } from './signals/series-ends.ts';
import { pointsOf, pointsOfPod } from './signals/signals.ts';
import type { OomWatch } from './stats/oom-watch.ts';
import type { StatsReader } from './stats/stats-reader.ts';

export interface VitalsLoopOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly node: string;
  readonly version: string;
  readonly level: string;
  readonly manager: Pick<PodManager, 'views'>;
  readonly stats: StatsReader;
  readonly oomWatch: Pick<OomWatch, 'track'>;
  readonly flightRecorder: FlightRecorder;
  readonly ends: SeriesEnds;
  readonly sendPoints: (points: readonly Point[], atMs: number) => Promise<void>;
  /** Told every second what there is, to record what changed. */
  readonly sendStates: (views: {
    readonly pods: readonly PodView[];
    readonly workloads: readonly WorkloadView[];
  }) => Promise<void>;
  readonly dropped: () => Readonly<Record<string, number>>;
  readonly onError: (error: unknown) => void;
}

/** Takes the vital signs: one second into the flight recorder, every interval to the wire, and at once when asked. */
export interface VitalsLoop {
  start(): void;
  /** Follows containers that started since the last second. */
  track(): void;
  /** Sends one pod's points now. */
  flush(uid: string): Promise<void>;
  /** Everything there is now, for a scraper. */
  points(): readonly Point[];
  /** Sends everything a last time, pods that are gone as ended. */
  last(): Promise<void>;
  close(): Promise<void>;
}

const SECOND_MS = 1_000;

export function createVitalsLoop(options: VitalsLoopOptions): VitalsLoop {
  const { clock, manager, stats, flightRecorder, ends, intervalMs } = options;
  const startedAt = clock.now();
  let cancel: CancelTimer = () => {};
  let closed = false;
  let tracked = new Set<string>();
  let nextSendMs = 0;
  let lastSentMs = 0;
  let underWay: Promise<void> = Promise.resolve();

  const track = (pods: readonly PodView[]) => {
    const now = new Set<string>();
    for (const pod of pods) {
      now.add(pod.ref.uid);
      const containers = pod.containers.flatMap(({ name, running }) =>
        running ? [{ name, ...running }] : [],
      );
      stats.track({
        uid: pod.ref.uid,
        ...(pod.sandbox?.pid === undefined ? {} : { sandboxPid: pod.sandbox.pid }),
        hostNetwork: pod.object.spec.hostNetwork ?? false,
        cgroup: pod.sandbox?.cgroup ?? {},
        containers,
      });
      for (const container of containers) options.oomWatch.track(container);
    }
    for (const uid of tracked) if (!now.has(uid)) stats.untrack(uid);
    tracked = now;
  };

  const agentFacts = () => {
    const { user, system } = process.cpuUsage();
    return {
      node: options.node,
      version: options.version,
      level: options.level,
      startedAt,
      cpuSeconds: (user + system) / 1e6,
      memoryBytes: process.memoryUsage.rss(),
      dropped: options.dropped(),
    };
  };
  const observe = () => {
    const { pods, workloads } = manager.views();
    const node = stats.node();
    return { pods, workloads, usages: stats.latest(), agent: agentFacts(), ...(node ? { node } : {}) };
  };

  // A series takes one sample a millisecond, and they must go forward.
  const sendingTime = () => {
    lastSentMs = Math.max(clock.now(), lastSentMs + 1);
    return lastSentMs;
  };

  const sendEverything = () => options.sendPoints(ends.afterAll(pointsOf(observe())), sendingTime());

  const second = async () => {
    const views = manager.views();
    track(views.pods);
    const usages = await stats.tick();
    for (const pod of views.pods) {
      for (const { running } of pod.containers) {
        if (running)
          flightRecorder.record(running.id, usages.containers.get(running.id), usages.pods.get(pod.ref.uid));
      }
    }
    await options.sendStates(views);
    if (clock.monotonic() < nextSendMs) return;
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
    start: loop,
    track: () => track(manager.views().pods),
    async flush(uid) {
      const pod = manager.views().pods.find((view) => view.ref.uid === uid);
      if (!pod) return;
      const points = ends.afterPod(pod.ref, pointsOfPod(pod, stats.readPod(uid)));
      await options.sendPoints(points, sendingTime());
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
