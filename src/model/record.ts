import type { PodEvent } from './event.ts';
import type { Pod } from './kubernetes.ts';
import type { WorkloadObject } from './kubernetes-object.ts';
import type { Life } from './life.ts';
import type { PodRef } from './pod-ref.ts';
import type { Verdict } from './verdict.ts';

/** The pod as it is now: its object (secrets redacted), and what is wrong with it. The newest per uid counts. */
export interface PodState {
  readonly id: string;
  readonly at: number;
  readonly pod: PodRef;
  readonly object: Pod;
  readonly verdict: Verdict;
  /** The pod is gone; its lives and events stay. */
  readonly deleted: boolean;
}

/** A workload object as it is now; the newest per uid counts. */
export interface WorkloadState {
  readonly id: string;
  readonly at: number;
  readonly node: string;
  readonly object: WorkloadObject;
  readonly deleted: boolean;
}

/** What an agent can and cannot enforce on its host, as words for people. The newest per node counts. */
export interface NodeState {
  readonly id: string;
  readonly at: number;
  readonly node: string;
  readonly version: string;
  readonly level: string;
  readonly notEnforced: readonly string[];
}

/** Everything but samples that travels from an agent to a collector. `id` makes each unique in the record. */
export type AgentRecord =
  | { readonly kind: 'event'; readonly event: PodEvent }
  | { readonly kind: 'life'; readonly life: Life }
  | { readonly kind: 'pod'; readonly state: PodState }
  | { readonly kind: 'workload'; readonly state: WorkloadState }
  | { readonly kind: 'node'; readonly state: NodeState };
