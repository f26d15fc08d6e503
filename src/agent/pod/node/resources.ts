import type { Container, PodSpec } from '../../../model/kubernetes.ts';
import { parseQuantity } from '../spec/quantity.ts';

/** The resources of a node that pods ask for: cores, and bytes. */
export const RESOURCES = ['cpu', 'memory', 'ephemeral-storage'] as const;
export type Resource = (typeof RESOURCES)[number];
export type Amounts = Readonly<Record<Resource, number>>;

const NONE: Amounts = { cpu: 0, memory: 0, 'ephemeral-storage': 0 };

const each = (amount: (resource: Resource) => number): Amounts => ({
  cpu: amount('cpu'),
  memory: amount('memory'),
  'ephemeral-storage': amount('ephemeral-storage'),
});

export const plus = (a: Amounts, b: Amounts): Amounts => each((resource) => a[resource] + b[resource]);

/** What a container asks for; a limit without a request asks for as much. */
export function requestsOf(container: Container): Amounts {
  const { requests, limits } = container.resources ?? {};
  return each((resource) => parseQuantity(requests?.[resource] ?? limits?.[resource] ?? '0') ?? 0);
}

/**
 * What a pod asks for while it runs: its containers and sidecars together, or its hungriest init container beside
 * the sidecars started before it, whichever is more.
 * Source: kubernetes component-helpers/resource/helpers.go, PodRequests
 */
export function podRequests(spec: PodSpec): Amounts {
  let sidecars = NONE;
  let initial = NONE;
  for (const container of spec.initContainers ?? []) {
    const own = requestsOf(container);
    const meanwhile = plus(sidecars, own);
    if (container.restartPolicy === 'Always') sidecars = meanwhile;
    const before = initial;
    initial = each((resource) => Math.max(before[resource], meanwhile[resource]));
  }
  const running = spec.containers.map(requestsOf).reduce(plus, sidecars);
  return each((resource) => Math.max(running[resource], initial[resource]));
}

export const sum = (all: Iterable<Amounts>): Amounts => [...all].reduce(plus, NONE);

/** As people write quantities: `1500m`, `64Mi`, `1.5Gi`. */
export function amount(resource: Resource, value: number): string {
  if (resource === 'cpu') return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
  for (const [unit, size] of [
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ] as const) {
    if (value >= size) return `${Number((value / size).toFixed(1))}${unit}`;
  }
  return String(value);
}
