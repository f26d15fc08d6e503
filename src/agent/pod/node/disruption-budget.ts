import type { LabelSelector } from '../../../model/kubernetes.ts';
import type { IntOrString } from '../../../model/kubernetes-workload.ts';
import { scaled } from '../workload/int-or-percent.ts';
import { selects } from '../workload/selector.ts';

/** A PodDisruptionBudget, as far as an eviction asks for it. */
export interface DisruptionBudget {
  readonly namespace: string;
  readonly name: string;
  /** None selects nothing. */
  readonly selector?: LabelSelector;
  readonly minAvailable?: IntOrString;
  readonly maxUnavailable?: IntOrString;
  readonly unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow';
}

export interface BudgetedPod {
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly healthy: boolean;
  /** How many its owner wants; 1 for a pod nobody owns. */
  readonly workload: { readonly key: string; readonly desired: number };
}

export interface BudgetStatus {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
  readonly currentHealthy: number;
  readonly disruptionsAllowed: number;
}

/**
 * How many more pods may be taken down now. Source: kubernetes/pkg/controller/disruption/disruption.go,
 * getExpectedPodCount, updatePdbStatus
 */
export function budgetStatus(budget: DisruptionBudget, pods: readonly BudgetedPod[]): BudgetStatus {
  const own = pods.filter((pod) => covers(budget, pod));
  const healthy = own.filter((pod) => pod.healthy).length;
  const owners = new Map(own.map(({ workload }) => [workload.key, workload.desired]));
  const byOwners = [...owners.values()].reduce((total, desired) => total + desired, 0);
  // A plain minimum is about the pods there are; shares and maxima are about those there should be.
  const plain = typeof budget.minAvailable === 'number';
  const expected = plain ? own.length : byOwners;
  const least =
    budget.maxUnavailable === undefined
      ? scaled(budget.minAvailable ?? 1, expected, 'up')
      : Math.max(0, expected - scaled(budget.maxUnavailable, expected, 'up'));
  return {
    expectedPods: expected,
    desiredHealthy: least,
    currentHealthy: healthy,
    disruptionsAllowed: expected > 0 ? Math.max(0, healthy - least) : 0,
  };
}

export const covers = (budget: DisruptionBudget, pod: BudgetedPod) =>
  pod.namespace === budget.namespace && budget.selector !== undefined && selects(budget.selector, pod.labels);

/**
 * Why a pod may not be evicted now; undefined: it may. A pod that is not healthy may always go when enough others
 * are, or where the budget says so. Source: kubernetes/pkg/registry/core/pod/storage/eviction.go
 */
export function evictionRefusal(
  pod: BudgetedPod,
  budgets: readonly DisruptionBudget[],
  pods: readonly BudgetedPod[],
): string | undefined {
  for (const budget of budgets) {
    if (!covers(budget, pod)) continue;
    if (!pod.healthy && budget.unhealthyPodEvictionPolicy === 'AlwaysAllow') continue;
    const status = budgetStatus(budget, pods);
    if (!pod.healthy && status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0) continue;
    if (status.disruptionsAllowed > 0) continue;
    return (
      `Cannot evict pod as it would violate the pod's disruption budget. The disruption budget ${budget.name} ` +
      `needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`
    );
  }
  return undefined;
}
