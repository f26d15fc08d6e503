import type { NodeTraits } from './node-affinity.ts';
import { takesLabels } from './pod-selection.ts';
import type { Obstacle, PlacedPod, SchedulablePod } from './schedulable-pod.ts';

/**
 * What the constraints on spread say against a pod on this node. It is the one domain there is: as many pods as it has
 * are the fewest, unless more domains are asked for, which then are empty. Pods that leave do not count.
 * Source: kubernetes/pkg/scheduler/framework/plugins/podtopologyspread/filtering.go, Filter
 */
export function spreadObstacle(
  pod: SchedulablePod,
  { labels }: NodeTraits,
  placed: readonly PlacedPod[],
): Obstacle | undefined {
  const constraints = (pod.spec.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
  );
  const reason = "node(s) didn't match pod topology spread constraints";
  // The node counts for none of them when it has not the labels of all.
  const isDomain = constraints.every(({ topologyKey }) => Object.hasOwn(labels, topologyKey));
  for (const constraint of constraints) {
    const { topologyKey, maxSkew, minDomains = 1 } = constraint;
    if (!Object.hasOwn(labels, topologyKey))
      return {
        reason: `${reason} (missing required label)`,
        detail: `The node has no label ${topologyKey}`,
      };
    const counts = (other: SchedulablePod) =>
      other.namespace === pod.namespace && takesLabels(constraint, pod.labels, other.labels);
    const there = isDomain ? placed.filter((other) => !other.leaving && counts(other)).length : 0;
    const fewest = minDomains > 1 ? 0 : there;
    const skew = there + (counts(pod) ? 1 : 0) - fewest;
    if (skew > maxSkew)
      return {
        reason,
        movable: true,
        detail: `With it ${skew} of its pods would be in the one domain of ${topologyKey}: maxSkew is ${maxSkew}, minDomains ${minDomains}`,
      };
  }
  return undefined;
}
