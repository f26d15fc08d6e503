import type { PodSpec } from '../../../model/kubernetes.ts';
import type { NodeTraits } from './node-affinity.ts';
import { type PodTerm, takesPod } from './pod-selection.ts';
import type { Obstacle, PlacedPod, SchedulablePod } from './schedulable-pod.ts';

/** Those that count for where a pod runs; what is preferred is no question where there is one node. */
const termsOf = (spec: PodSpec, which: 'podAffinity' | 'podAntiAffinity'): readonly PodTerm[] =>
  spec.affinity?.[which]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

/**
 * What the affinity of pods to each other says against a pod on this node. All pods here are in the same domain of each
 * label the node has; of one it has not they are in none.
 * Source: kubernetes/pkg/scheduler/framework/plugins/interpodaffinity/filtering.go, Filter
 */
export function affinityObstacle(
  pod: SchedulablePod,
  node: NodeTraits,
  placed: readonly PlacedPod[],
): Obstacle | undefined {
  return lonely(pod, node, placed) ?? repelled(pod, node, placed) ?? unwelcome(pod, node, placed);
}

/** The first of a group that wants to be together may come though none of it is there yet. */
function lonely(
  pod: SchedulablePod,
  { labels }: NodeTraits,
  placed: readonly PlacedPod[],
): Obstacle | undefined {
  const terms = termsOf(pod.spec, 'podAffinity');
  if (terms.length === 0) return undefined;
  const reason = "node(s) didn't match pod affinity rules";
  const strange = terms.find(({ topologyKey }) => !Object.hasOwn(labels, topologyKey));
  if (strange) return { reason, detail: `The node has no label ${strange.topologyKey}` };
  const takesAll = (other: SchedulablePod) => terms.every((term) => takesPod(term, pod, other));
  if (placed.some(takesAll) || takesAll(pod)) return undefined;
  const keys = terms.map(({ topologyKey }) => topologyKey).join(', ');
  return { reason, detail: `No pod here is one that its podAffinity on ${keys} asks for` };
}

function repelled(
  pod: SchedulablePod,
  { labels }: NodeTraits,
  placed: readonly PlacedPod[],
): Obstacle | undefined {
  for (const term of termsOf(pod.spec, 'podAntiAffinity')) {
    if (!Object.hasOwn(labels, term.topologyKey)) continue;
    const other = placed.find((one) => takesPod(term, pod, one));
    if (!other) continue;
    return {
      reason: "node(s) didn't match pod anti-affinity rules",
      movable: true,
      detail: `Its podAntiAffinity on ${term.topologyKey} keeps it from pod ${other.namespace}/${other.name}`,
    };
  }
  return undefined;
}

function unwelcome(
  pod: SchedulablePod,
  { labels }: NodeTraits,
  placed: readonly PlacedPod[],
): Obstacle | undefined {
  for (const other of placed) {
    const term = termsOf(other.spec, 'podAntiAffinity').find(
      (one) => Object.hasOwn(labels, one.topologyKey) && takesPod(one, other, pod),
    );
    if (!term) continue;
    return {
      reason: "node(s) didn't satisfy existing pods anti-affinity rules",
      movable: true,
      detail: `The podAntiAffinity on ${term.topologyKey} of pod ${other.namespace}/${other.name} keeps it away`,
    };
  }
  return undefined;
}
