import type { LabelSelector } from '../../../model/kubernetes.ts';
import { selects } from '../workload/selector.ts';

type Labels = Readonly<Record<string, string>>;

/** Whose labels decide, and in which namespace it is. */
export interface LabelledPod {
  readonly namespace: string;
  readonly labels: Labels;
}

export interface PodSelection {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly mismatchLabelKeys?: readonly string[];
}

/**
 * Whether a selection of `owner`'s takes the labels: those of the selector, and of keys whose value is to be, or not to
 * be, as the owner's own; a key that the owner does not have counts for nothing. Without a selector it takes none.
 * Source: kubernetes/pkg/registry/core/pod/strategy.go, applyMatchLabelKeysAndMismatchLabelKeys
 */
export function takesLabels(selection: PodSelection, owner: Labels, labels: Labels): boolean {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = selection;
  if (!labelSelector || !selects(labelSelector, labels)) return false;
  const known = (key: string) => Object.hasOwn(owner, key);
  const isOwn = (key: string) => Object.hasOwn(labels, key) && labels[key] === owner[key];
  return matchLabelKeys.filter(known).every(isOwn) && !mismatchLabelKeys.filter(known).some(isOwn);
}

/** No namespace here has other labels. Source: kubernetes.io/docs/reference/labels-annotations-taints */
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

export interface PodTerm extends PodSelection {
  readonly topologyKey: string;
  readonly namespaces?: readonly string[];
  readonly namespaceSelector?: LabelSelector;
}

/**
 * Whether a term of `owner`'s takes a pod: in its own namespace, or in those it names or selects.
 * Source: kubernetes kube-scheduler framework, AffinityTerm.Matches
 */
export function takesPod(term: PodTerm, owner: LabelledPod, pod: LabelledPod): boolean {
  const { namespaces = [], namespaceSelector } = term;
  const isNear =
    namespaces.length === 0 && !namespaceSelector
      ? pod.namespace === owner.namespace
      : namespaces.includes(pod.namespace) ||
        (namespaceSelector !== undefined && selects(namespaceSelector, { [NAMESPACE_NAME]: pod.namespace }));
  return isNear && takesLabels(term, owner.labels, pod.labels);
}
