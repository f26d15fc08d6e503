import type { PodSpec } from '../../../model/kubernetes.ts';

/** A PriorityClass, as far as pods ask for it. */
export interface PriorityLevel {
  readonly name: string;
  readonly value: number;
  /** Of pods that name no class. */
  readonly globalDefault?: boolean;
  readonly preemptionPolicy?: 'PreemptLowerPriority' | 'Never';
}

/** Those every cluster has: they come before everybody's. Source: kubernetes/pkg/apis/scheduling/types.go */
export const SYSTEM_PRIORITIES: readonly PriorityLevel[] = [
  { name: 'system-cluster-critical', value: 2_000_000_000 },
  { name: 'system-node-critical', value: 2_000_001_000 },
];

/** What a class may have at most that is not the system's. */
export const MOST_PRIORITY = 1_000_000_000;

export const priorityOf = (spec: PodSpec): number =>
  spec.priority ?? SYSTEM_PRIORITIES.find(({ name }) => name === spec.priorityClassName)?.value ?? 0;

/** The class a pod names and nobody has made; undefined: it has one, or needs none. */
export function missingClass(spec: PodSpec, levels: readonly PriorityLevel[]): string | undefined {
  const { priorityClassName: name } = spec;
  if (!name || [...SYSTEM_PRIORITIES, ...levels].some((level) => level.name === name)) return undefined;
  return name;
}

/**
 * The spec with the priority of its class, or of the default class; what a pod says itself stays. A pod keeps the
 * priority it began with. Source: kubernetes/plugin/pkg/admission/priority/admission.go, admitPod
 */
export function withPriority(spec: PodSpec, levels: readonly PriorityLevel[]): PodSpec {
  if (spec.priority !== undefined) return spec;
  const defaults = levels.filter(({ globalDefault }) => globalDefault).sort((a, b) => a.value - b.value);
  const level = spec.priorityClassName
    ? [...SYSTEM_PRIORITIES, ...levels].find(({ name }) => name === spec.priorityClassName)
    : defaults[0];
  if (!level) return spec;
  const { preemptionPolicy = level.preemptionPolicy } = spec;
  return {
    ...spec,
    priorityClassName: level.name,
    priority: level.value,
    ...(preemptionPolicy && { preemptionPolicy }),
  };
}

/** What is asked for again, with what admission added the first time. */
export function asAdmitted(asked: PodSpec, admitted: PodSpec): PodSpec {
  const { priority, priorityClassName, preemptionPolicy } = admitted;
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
    ...(preemptionPolicy === undefined ? {} : { preemptionPolicy }),
    ...asked,
  };
}
