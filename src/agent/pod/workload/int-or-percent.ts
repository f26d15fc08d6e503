import type { IntOrString } from '../../../model/kubernetes-workload.ts';

/** A number as it is, or a share of `total`. Source: apimachinery util/intstr, GetScaledValueFromIntOrPercent */
export function scaled(value: IntOrString, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const share = (Number(value.slice(0, -1)) * total) / 100;
  return round === 'up' ? Math.ceil(share) : Math.floor(share);
}

/**
 * How many pods may be there beyond those wanted, and how many may be missing. They are never both 0: a rollout that
 * may do neither would stand still. Source: kubernetes/pkg/controller/deployment/util, ResolveFenceposts
 */
export function fenceposts(
  replicas: number,
  { maxSurge, maxUnavailable }: { readonly maxSurge: IntOrString; readonly maxUnavailable: IntOrString },
): { readonly surge: number; readonly unavailable: number } {
  const surge = scaled(maxSurge, replicas, 'up');
  const unavailable = scaled(maxUnavailable, replicas, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}
