import type { PodRef } from './pod-ref.ts';

/**
 * Something that happened to a pod, in the manner of a Kubernetes Event: `reason` is one CamelCase word of the
 * kubelet's (Scheduled, Pulled, Created, Started, Killing, BackOff, Unhealthy, …) or ours where the kubelet has
 * none (Died, OOMKill, Ready, NotReady). `at` is integer milliseconds. `id` is the hash of pod uid, container,
 * attempt, reason and sequence: at least once on the wire, exactly once in the record.
 * What happens to a Deployment, Job or the like names it as `object`: `pod` then has an empty name, and the uid of the
 * object.
 */
export interface PodEvent {
  readonly id: string;
  readonly at: number;
  readonly pod: PodRef;
  readonly object?: { readonly kind: string; readonly name: string };
  readonly container?: string;
  /** 0 for the first life of the container, then 1, 2, … */
  readonly attempt?: number;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}
