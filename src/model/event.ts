import type { PodRef } from './pod-ref.ts';

/**
 * Something that happened to a pod, in the manner of a Kubernetes Event: `reason` is one CamelCase word of the
 * kubelet's (Scheduled, Pulled, Created, Started, Killing, BackOff, Unhealthy, …) or ours where the kubelet has
 * none (Died, OOMKill, Ready, NotReady). `at` is integer milliseconds. `id` is the hash of pod uid, container,
 * attempt, reason and sequence: at least once on the wire, exactly once in the record.
 */
export interface PodEvent {
  readonly id: string;
  readonly at: number;
  readonly pod: PodRef;
  readonly container?: string;
  /** 0 for the first life of the container, then 1, 2, … */
  readonly attempt?: number;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}
