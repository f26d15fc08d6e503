import type { Taint, Toleration } from '../../../model/kubernetes.ts';
import { tolerates } from './taint.ts';

/**
 * For how many milliseconds a pod may stay on a node with these taints; undefined: for ever; 0: not at all. Of several
 * tolerations the one that ends first counts.
 * Source: kubernetes/pkg/controller/tainteviction/taint_eviction.go, getMinTolerationTime
 */
export function staysMs(taints: readonly Taint[], tolerations: readonly Toleration[]): number | undefined {
  const driving = taints.filter(({ effect }) => effect === 'NoExecute');
  const used = driving.map((taint) => tolerations.filter((toleration) => tolerates(toleration, taint)));
  if (used.some((own) => own.length === 0)) return 0;
  const seconds = used.flat().flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
  return seconds.length === 0 ? undefined : Math.max(0, Math.min(...seconds)) * 1000;
}
