import type { Taint, Toleration } from '../../../model/kubernetes.ts';

/**
 * Whether a toleration bears a taint. An empty key with `Exists` bears all; an empty effect bears every effect.
 * Source: kubernetes/api core/v1/toleration.go, ToleratesTaint
 */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '');
}

/** The first taint that keeps a pod away and that it does not bear; `PreferNoSchedule` keeps nobody away. */
export const untolerated = (
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
): Taint | undefined =>
  taints.find(
    (taint) =>
      taint.effect !== 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
