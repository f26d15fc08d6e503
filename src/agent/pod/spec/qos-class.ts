import type { PodSpec, PodStatus } from '../../../model/kubernetes.ts';
import { parseQuantity } from './quantity.ts';

/**
 * Guaranteed: every container limits CPU and memory and requests just that. BestEffort: none asks for anything.
 * Source: kubernetes/pkg/apis/core/v1/helper/qos/qos.go
 */
export function qosClass(spec: PodSpec): PodStatus['qosClass'] {
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  const asks = (container: (typeof all)[number]) =>
    (['limits', 'requests'] as const).some((section) =>
      ['cpu', 'memory'].some(
        (name) => (parseQuantity(container.resources?.[section]?.[name] ?? '0') ?? 0) > 0,
      ),
    );
  if (!all.some(asks)) return 'BestEffort';
  const guaranteed = all.every((container) =>
    ['cpu', 'memory'].every((name) => {
      const limit = container.resources?.limits?.[name];
      const request = container.resources?.requests?.[name] ?? limit;
      return limit !== undefined && parseQuantity(limit) === parseQuantity(request!);
    }),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
