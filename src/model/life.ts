import type { PodRef } from './pod-ref.ts';
import type { Verdict } from './verdict.ts';

/** Who asked for a kill, and why. `null` in a record means nobody we know of did. */
export interface KillRequest {
  readonly by:
    | 'probe'
    | 'hook'
    | 'delete'
    | 'rollout'
    | 'eviction'
    | 'deadline'
    | 'user'
    | 'shutdown'
    | 'pod-failed';
  readonly message: string;
  readonly at: number;
}

/** A kill by the kernel's out-of-memory killer. `pid` and `command` are absent where the kernel log was not readable. */
export interface OomKill {
  readonly at: number;
  readonly pid?: number;
  readonly command?: string;
  readonly rssBytes?: number;
  /** The container's first process was the victim; false: a child was, and the container may live on. */
  readonly mainProcess: boolean;
}

export type ProbeKind = 'liveness' | 'readiness' | 'startup';

export interface ProbeResult {
  readonly at: number;
  readonly probe: ProbeKind;
  readonly ok: boolean;
  /** What was asked: `GET http://10.88.0.2:8080/healthz`, `tcp 10.88.0.2:5432`, `exec cat /tmp/ready`. */
  readonly target: string;
  readonly message: string;
  readonly latencyMs: number;
  /** The answer came after the probe had given up on it: it counts for nothing, and shows that one would have come. */
  readonly late?: true;
}

/** One line a container wrote. Hostile input: escape it wherever it is shown. */
export interface LogLine {
  readonly at: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** One second of vital signs; a field that could not be read is absent. Rates are over the second before. */
export interface VitalFrame {
  readonly at: number;
  readonly cpuCores?: number;
  readonly throttledRatio?: number;
  readonly memoryWorkingSetBytes?: number;
  readonly memoryRssBytes?: number;
  readonly processes?: number;
  readonly openDescriptors?: number;
  /** Of its first process: how many descriptors each of its processes may have open. */
  readonly descriptorLimit?: number;
  readonly ioStallRatio?: number;
  readonly memoryStallRatio?: number;
  readonly cpuStallRatio?: number;
}

/** What a life was started with, as far as it may be told: names of settings, never values. */
export interface LifeConfig {
  readonly image: string;
  readonly command: readonly string[];
  readonly envNames: readonly string[];
  readonly configHash: string;
  /** Keyed hashes of the values of settings that do not differ from pod to pod by nature, by name. */
  readonly envHashes?: Readonly<Record<string, string>>;
  /** Hash of its probes as they are written. */
  readonly probesHash?: string;
  readonly memoryLimitBytes?: number;
  readonly cpuLimitCores?: number;
  readonly pidsLimit?: number;
}

/** A fault of a process as the kernel logs it: `segfault`, `general protection fault`, `trap invalid opcode`, … */
export interface KernelFault {
  readonly kind: string;
  /** The file whose code ran: `libc.so.6`; absent where the kernel does not say. */
  readonly file?: string;
}

/** What a security module forbade a process, as the kernel logs it. Hostile input. */
export interface KernelDenial {
  readonly by: 'AppArmor' | 'SELinux' | 'seccomp';
  readonly what: string;
}

/** A process that sent a signal, as the kernel traced it. Command names are hostile input. */
export interface SignalSender {
  readonly at: number;
  readonly signal: number;
  readonly pid: number;
  readonly command: string;
  /** Whom it was sent to: the container's first process, or one of its children. */
  readonly target: { readonly pid: number; readonly command: string; readonly mainProcess: boolean };
  /**
   * Where the sender ran: the very process that got it, one that had started that, another of the same container, one
   * of another container of the pod, of another pod, one of a command that a user ran by `exec`, or of no pod at all.
   */
  readonly place: 'itself' | 'parent' | 'container' | 'pod' | 'other-pod' | 'exec' | 'node';
  /** Its container, where that is another. */
  readonly container?: string;
  /** NAMESPACE/NAME of its pod, where that is another. */
  readonly pod?: string;
  /** Of a process of no pod: who had logged in to start it, or that it has a terminal. */
  readonly user?: string;
}

/** One start of a container, up to its death: the record that survives the pod. Times are integer milliseconds. */
export interface Life {
  readonly id: string;
  readonly pod: PodRef;
  readonly container: string;
  readonly init: boolean;
  readonly attempt: number;
  readonly containerId: string;
  readonly config: LifeConfig;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly signal?: number;
  /** Kubernetes' word: Completed, Error, OOMKilled, StartError, ContainerCannotRun. */
  readonly reason: string;
  readonly killRequest: KillRequest | null;
  /** Nobody asked for this death: it counts towards a crash loop. */
  readonly unrequested: boolean;
  readonly oomKills: readonly OomKill[];
  readonly log: readonly LogLine[];
  readonly vitals: readonly VitalFrame[];
  readonly probes: readonly ProbeResult[];
  /** Connections out of the pod's network that failed while this life lasted (TCP attempts); absent: not known. */
  readonly failedConnects?: number;
  /** Segments out of the pod's network that were not acknowledged in time while this life lasted; absent: not known. */
  readonly retransmitTimeouts?: number;
  /** How far the node's clock was ahead of the true time at the death; absent: nobody measures it here. */
  readonly clockOffsetSeconds?: number;
  /** What the kernel logged of the fault that ended its first process; absent: none, or the log could not be read. */
  readonly fault?: KernelFault;
  /** The last that a security module forbade its first process; absent: nothing, or it was logged elsewhere. */
  readonly denial?: KernelDenial;
  /** Who sent the signal that ended it, or made it end; absent: nobody, or it could not be traced. */
  readonly sender?: SignalSender;
  /** Ports something in the pod listened on shortly before the death. */
  readonly listening: readonly { readonly address: string; readonly port: number }[];
  readonly verdict: Verdict;
}
