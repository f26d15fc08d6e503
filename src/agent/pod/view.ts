import type { Pod } from '../../model/kubernetes.ts';
import type { WorkloadObject } from '../../model/kubernetes-object.ts';
import type { LifeConfig, ProbeKind } from '../../model/life.ts';
import type { PodRef, WorkloadType } from '../../model/pod-ref.ts';
import type { CgroupPaths } from './runtime/runtime.ts';

/** A pod as the rest of the agent sees it: its object, and the counters that the object has no place for. */
export interface PodView {
  readonly ref: PodRef;
  readonly object: Pod;
  readonly containers: readonly ContainerView[];
  readonly sandbox?: { readonly pid?: number; readonly cgroup: CgroupPaths };
  /** Integer milliseconds; absent until it happens. `readyAt` is the first time only. */
  readonly startup: {
    readonly createdAt: number;
    readonly scheduledAt?: number;
    readonly sandboxAt?: number;
    readonly pulledAt?: number;
    readonly initializedAt?: number;
    readonly startedAt?: number;
    readonly readyAt?: number;
  };
  readonly deletionAt?: number;
}

export interface ContainerView {
  readonly name: string;
  readonly init: boolean;
  readonly attempt: number;
  /** Set while it runs. */
  readonly running?: {
    readonly id: string;
    readonly pid: number;
    readonly startedAt: number;
    readonly cgroup: CgroupPaths;
  };
  readonly config: LifeConfig;
  /** Deaths by reason since the pod was created, those nobody asked for apart from those requested. */
  readonly deaths: Readonly<Record<string, number>>;
  readonly requestedDeaths: Readonly<Record<string, number>>;
  /** Entries into CrashLoopBackOff. */
  readonly crashLoops: number;
  /** OOM kills the kernel counted over all lives that ended. */
  readonly oomKills: number;
  readonly backOff?: { readonly delayMs: number; readonly untilMs: number };
  /** Milliseconds spent waiting in back-off, over all lives. */
  readonly backOffMs: number;
  readonly probes: Readonly<
    Partial<Record<ProbeKind, { readonly succeeded: number; readonly failed: number }>>
  >;
}

/** Counters of a workload, integrated over time by the injected clock; they survive its pods. */
export interface WorkloadView {
  readonly namespace: string;
  readonly name: string;
  readonly type: WorkloadType;
  readonly node: string;
  readonly desired: number;
  readonly ready: number;
  /** Seconds since the workload was applied: desired and ready pods, integrated. Surge pods do not count. */
  readonly desiredPodSeconds: number;
  readonly readyPodSeconds: number;
  /** Seconds its pods existed, for rates per pod-hour. */
  readonly podSeconds: number;
  /** Deaths followed by a restart, all pods, init containers apart. */
  readonly restarts: number;
  readonly initRestarts: number;
  readonly crashLoops: number;
  /** Creation to first Ready, of each pod that became Ready; upper bounds in seconds, +Inf last in `counts`. */
  readonly startup: {
    readonly bounds: readonly number[];
    readonly counts: readonly number[];
    readonly sum: number;
    readonly count: number;
  };
  /** Pods whose start is judged: good when Ready within 30 s, slow at 30 s at the latest. */
  readonly starts: { readonly judged: number; readonly slow: number };
  readonly object?: WorkloadObject;
  /** The Service that selects its pods, else their app.kubernetes.io/part-of, else the workload's own name. */
  readonly service: string;
  /** Labels promoted from the pods: team, tier, app.kubernetes.io/part-of. */
  readonly podLabels: Readonly<Record<string, string>>;
}
