import { place, type SchedulableNode } from './placement.ts';
import { priorityOf } from './priority.ts';
import type { PlacedPod } from './schedulable-pod.ts';

export type ScheduleStep =
  | { readonly kind: 'bind'; readonly uid: string }
  | { readonly kind: 'refuse'; readonly uid: string; readonly message: string }
  /** These go first; the pod is tried again when they are gone. */
  | {
      readonly kind: 'preempt';
      readonly uid: string;
      readonly message: string;
      readonly victims: readonly string[];
    };

/**
 * What becomes of the pods that wait for the node: the most important first, then the oldest; each is bound where it
 * fits beside those bound before it. While the victims of a pod are `leaving`, what they free is kept for it: nobody
 * of lower priority is let in.
 */
export function schedule(
  waiting: readonly PlacedPod[],
  node: SchedulableNode,
  placed: readonly (PlacedPod & { readonly leaving: boolean })[],
): readonly ScheduleStep[] {
  const steps: ScheduleStep[] = [];
  const here: PlacedPod[] = [...placed];
  let reservedFor = Number.NEGATIVE_INFINITY;
  const order = [...waiting].sort(
    (a, b) => priorityOf(b.spec) - priorityOf(a.spec) || a.createdAt - b.createdAt,
  );
  for (const pod of order) {
    const placement = place(pod, node, here);
    const priority = priorityOf(pod.spec);
    if (placement.fits && priority >= reservedFor) {
      here.push(pod);
      steps.push({ kind: 'bind', uid: pod.uid });
    } else if (placement.fits) {
      steps.push({
        kind: 'refuse',
        uid: pod.uid,
        message: '0/1 nodes are available: 1 node(s) make room for a pod of higher priority.',
      });
    } else if (placement.preempt.length > 0) {
      reservedFor = Math.max(reservedFor, priority);
      const gone = new Set(placed.filter(({ leaving }) => leaving).map(({ uid }) => uid));
      const victims = placement.preempt.map(({ uid }) => uid).filter((uid) => !gone.has(uid));
      steps.push({ kind: 'preempt', uid: pod.uid, message: placement.message, victims });
    } else steps.push({ kind: 'refuse', uid: pod.uid, message: placement.message });
  }
  return steps;
}
