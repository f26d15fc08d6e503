import type { Pod } from '../../model/kubernetes.ts';
import type { KillRequest, LifeConfig, ProbeResult } from '../../model/life.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import type { CgroupPaths } from './runtime/runtime.ts';

interface Base {
  /** Integer milliseconds. */
  readonly at: number;
  readonly pod: PodRef;
}

interface OfContainer extends Base {
  readonly container: string;
  readonly init: boolean;
  /** 0 for the first start. */
  readonly attempt: number;
}

/** What happened to a pod, as a fact without wording; `events/` puts it into words, `signals/` counts it. */
export type PodTransition =
  | (Base & { readonly kind: 'pod-created' | 'pod-scheduled' | 'sandbox-ready' | 'pod-initialized' })
  | (Base & {
      readonly kind: 'sandbox-failed' | 'config-failed';
      readonly container?: string;
      readonly message: string;
    })
  | (Base & { readonly kind: 'scheduling-failed' | 'deadline-exceeded'; readonly message: string })
  /** The node does not take it, though it is told to: it has failed before it began. */
  | (Base & { readonly kind: 'rejected'; readonly reason: string; readonly message: string })
  /** The node or a more important pod makes it go; `signal` is what the node was short of. */
  | (Base & {
      readonly kind: 'disrupted';
      readonly reason: 'Evicted' | 'Preempted' | 'TaintManagerEviction';
      readonly message: string;
      readonly signal?: string;
    })
  | (Base & { readonly kind: 'pod-deleting'; readonly request: KillRequest; readonly graceMs: number })
  | (Base & { readonly kind: 'pod-deleted' })
  | (OfContainer & { readonly kind: 'image-pulling'; readonly image: string })
  | (OfContainer & {
      readonly kind: 'image-pulled';
      readonly image: string;
      /** It was here already. */
      readonly present: boolean;
    })
  | (OfContainer & {
      readonly kind: 'image-failed';
      readonly image: string;
      readonly reason: string;
      readonly message: string;
    })
  | (OfContainer & { readonly kind: 'container-started'; readonly containerId: string; readonly pid: number })
  | (OfContainer & { readonly kind: 'start-failed'; readonly reason: string; readonly message: string })
  | (OfContainer & {
      readonly kind: 'hook-failed';
      readonly hook: 'postStart' | 'preStop';
      readonly message: string;
    })
  | (OfContainer & { readonly kind: 'killing'; readonly request: KillRequest })
  | (OfContainer & ContainerDeath)
  | (OfContainer & { readonly kind: 'back-off'; readonly delayMs: number; readonly untilMs: number })
  | (OfContainer & {
      readonly kind: 'probe';
      readonly result: ProbeResult;
      /** Results of this kind in a row, and how many it takes to matter. */
      readonly inARow: number;
      readonly threshold: number;
    })
  | (OfContainer & { readonly kind: 'late-answer'; readonly result: ProbeResult })
  | (Base & { readonly kind: 'ready' | 'not-ready'; readonly first: boolean })
  | (Base & { readonly kind: 'phase'; readonly phase: Pod['status']['phase'] });

export interface ContainerDeath {
  readonly kind: 'container-died';
  readonly containerId: string;
  readonly config: LifeConfig;
  readonly cgroup: CgroupPaths;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly signal?: number;
  /** OOM kills counted by the kernel in this life; absent: could not be read. */
  readonly oomKills?: number;
  readonly reason: string;
  readonly killRequest: KillRequest | null;
  readonly unrequested: boolean;
}
