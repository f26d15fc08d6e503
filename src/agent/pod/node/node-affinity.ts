import type { NodeSelectorRequirement, PodSpec } from '../../../model/kubernetes.ts';

/** What of a node a pod may choose by. */
export interface NodeTraits {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Whether the node is one that the pod chooses: every entry of `nodeSelector`, and one of the required terms of its
 * node affinity. Source: kubernetes component-helpers/scheduling/corev1/nodeaffinity
 */
export function choosesNode(spec: PodSpec, node: NodeTraits): boolean {
  const selected = Object.entries(spec.nodeSelector ?? {}).every(
    ([key, value]) => node.labels[key] === value,
  );
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!selected || !required) return selected;
  return required.nodeSelectorTerms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    return (
      matchExpressions.every((requirement) => matches(requirement, node.labels[requirement.key])) &&
      matchFields.every((requirement) =>
        matches(requirement, requirement.key === 'metadata.name' ? node.name : undefined),
      )
    );
  });
}

function matches({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  if (operator === 'NotIn') return value === undefined || !values.includes(value);
  if (value === undefined) return false;
  if (operator === 'In') return values.includes(value);
  const [bound] = values;
  if (!/^-?\d+$/.test(value) || bound === undefined) return false;
  return operator === 'Gt' ? Number(value) > Number(bound) : Number(value) < Number(bound);
}
