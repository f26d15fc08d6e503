import type {
  ContainerStateTerminated,
  ObjectMeta,
  PodCondition,
  PodPhase,
  PodSpec,
} from '../../model/kubernetes.ts';
import type { KillRequest, LifeConfig, ProbeKind } from '../../model/life.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import type { CgroupPaths, Sandbox } from './runtime/runtime.ts';
import type { BackOffEntry } from './worker/restart-back-off.ts';

/**
 * All that is known of a pod, as it is kept durable: the worker changes it, pure functions read it. JSON. Times are
 * integer milliseconds.
 */
export interface PodRecord {
  readonly ref: PodRef;
  readonly metadata: ObjectMeta;
  spec: PodSpec;
  /** The manifest's folder: where a `host` container starts. */
  readonly folder?: string;
  labels?: Readonly<Record<string, string>> | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
  sandbox?: Sandbox | undefined;
  podIp?: string | undefined;
  /** Init containers first, in the order of the spec. */
  readonly containers: ContainerRecord[];
  /** Pulls that failed, by image: containers with the same image wait together. */
  pullFailures?: Record<string, PullFailureRecord | undefined>;
  readonly startup: {
    readonly createdAt: number;
    scheduledAt?: number | undefined;
    sandboxAt?: number | undefined;
    pulledAt?: number | undefined;
    initializedAt?: number | undefined;
    startedAt?: number | undefined;
    readyAt?: number | undefined;
  };
  phase: PodPhase;
  conditions: readonly PodCondition[];
  ready: boolean;
  /** Its containers were stopped on request and wait to be started again by whoever did: nobody wants it now. */
  stopped?: boolean | undefined;
  /** Ran before anybody looked: when it became ready is not known, and its start is not judged. */
  readonly foundRunning?: boolean;
  /** How many of it are wanted; left out: one. */
  desired?: number | undefined;
  /** Ended by the node rather than by its containers. `graceMs` is given instead of the pod's own. */
  failure?:
    | {
        readonly reason: string;
        readonly message: string;
        readonly at: number;
        readonly by?: 'deadline' | 'eviction';
        readonly graceMs?: number;
      }
    | undefined;
  /** Why it has no place on the node; absent once it has one. */
  unschedulable?: { readonly message: string; readonly since: number } | undefined;
  /** Somebody other than its containers makes it go, in the words of the condition DisruptionTarget. */
  disruption?: { readonly reason: string; readonly message: string };
  /** Volumes or the sandbox could not be made; tried again at `retryAt`. */
  setUpFailure?: { readonly message: string; readonly retryAt: number } | undefined;
  /** Told to stay down, until it is started again. */
  heldDown?: KillRequest | undefined;
  /** Its processes are held still since then. */
  pausedAt?: number | undefined;
  deletion?: { readonly at: number; readonly graceMs: number; readonly request: KillRequest };
  /** Whether the pod was Ready within its first 30 s; absent: not judged yet. */
  start?: 'good' | 'slow' | undefined;
}

export interface PullFailureRecord {
  readonly backOff: BackOffEntry;
  readonly reason: string;
  readonly message: string;
}

export interface ContainerRecord {
  readonly name: string;
  readonly init: boolean;
  /** The newest life, running or over. */
  life?: LifeRecord | undefined;
  /** How the life before the newest ended. */
  previous?: ContainerStateTerminated | undefined;
  /** Why it is not running, where the kubelet has a word for it. */
  waiting?: { readonly reason: string; readonly message?: string } | undefined;
  /** Not to be tried before. */
  retryAt?: number | undefined;
  ready: boolean;
  started: boolean;
  /** To run again, whatever the restart policy says: the sandbox was lost, or somebody asked for it. */
  rerun?: boolean | undefined;
  image: { readonly id?: string };
  backOff?: BackOffEntry | undefined;
  /** Set while it waits in CrashLoopBackOff. */
  backingOff?: { readonly delayMs: number; readonly sinceMs: number; readonly untilMs: number } | undefined;
  config: LifeConfig;
  backOffMs: number;
  readonly deaths: Record<string, number>;
  readonly requestedDeaths: Record<string, number>;
  crashLoops: number;
  oomKills: number;
  readonly probes: Partial<Record<ProbeKind, { succeeded: number; failed: number }>>;
}

export interface LifeRecord {
  readonly attempt: number;
  readonly id: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly cgroup: CgroupPaths;
  readonly config: LifeConfig;
  /** By which it is asked to end; absent: not known. */
  readonly stopSignal?: string;
  killRequest?: KillRequest | undefined;
  /** Its postStart hook has not ended yet: it is not shown as running, and not probed. */
  postStart?: 'running' | undefined;
  /** Set once it is over. */
  end?: ContainerStateTerminated | undefined;
  endedAt?: number | undefined;
}

export const isRunning = (container: ContainerRecord) =>
  container.life !== undefined && container.life.end === undefined;

/** RFC 3339 in whole seconds, as the API server writes times. */
export const apiTime = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
