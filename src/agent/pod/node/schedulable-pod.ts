import type { PodSpec } from '../../../model/kubernetes.ts';
import type { LabelledPod } from './pod-selection.ts';

/** What of a pod decides where it may run. */
export interface SchedulablePod extends LabelledPod {
  readonly name: string;
  readonly spec: PodSpec;
}

export interface PlacedPod extends SchedulablePod {
  readonly uid: string;
  readonly createdAt: number;
  /** On its way out, and there until it is gone. */
  readonly leaving?: boolean;
}

/** Why a pod may not run here, in the scheduler's words. */
export interface Obstacle {
  readonly reason: string;
  /** Goes away when other pods do. */
  readonly movable?: boolean;
  /** A sentence of our own, which names numbers and pods. */
  readonly detail?: string;
}
