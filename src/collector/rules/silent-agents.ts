import { type Labels, labelValue } from '../../model/labels.ts';
import type { Query, VectorSample } from '../../model/query-result.ts';

/**
 * Silence is not health. An agent sends `podvitals_agent_info` with every tick, so a node that had one within a day
 * and none within two minutes is silent, and what its pods' series no longer say means nothing. The store remembers
 * all of this; nothing is kept here. The rule PodvitalsAgentDown asks the same question.
 */
const SILENT_NODES =
  'group by (node) (last_over_time(podvitals_agent_info[1d])) unless on (node) group by (node) (last_over_time(podvitals_agent_info[2m]))';
const PODS = 'group by (namespace, pod, node) (last_over_time(kube_pod_info[1d]))';
// `instance` is <node>:<port>, as a scrape would give it.
const WORKLOADS =
  'group by (namespace, workload, instance) (last_over_time(podvitals_workload_desired_pods[1d]))';

/** Why it cannot be known whether an alert with these labels still holds; undefined when it can. */
export type UnknownWhy = (labels: Labels) => string | undefined;

export type FindSilence = (query: Query, atMs: number, signal?: AbortSignal) => Promise<UnknownWhy>;

const knowsAll: UnknownWhy = () => undefined;

/** Who is silent at `atMs`. An alert belongs to a node by its label `node`, by its pod, or by its workload. */
export const findSilence: FindSilence = async (query, atMs, signal) => {
  const nodes = new Set(
    (await ask(query, SILENT_NODES, atMs, signal)).map(({ labels }) => labelValue(labels, 'node')),
  );
  if (nodes.size === 0) return knowsAll;
  const pods = new Map<string, string>();
  for (const { labels } of await ask(query, PODS, atMs, signal)) {
    const node = labelValue(labels, 'node');
    if (nodes.has(node)) pods.set(keyOf(labels, 'pod'), node);
  }
  const workloads = new Map<string, string>();
  for (const { labels } of await ask(query, WORKLOADS, atMs, signal)) {
    const node = labelValue(labels, 'instance').replace(/:\d+$/, '');
    if (nodes.has(node)) workloads.set(keyOf(labels, 'workload'), node);
  }
  return (labels) => {
    const node = nodeOf(labels, nodes, pods, workloads);
    return node === undefined ? undefined : `Held as it was: the agent on ${node} is silent.`;
  };
};

function nodeOf(
  labels: Labels,
  nodes: ReadonlySet<string>,
  pods: ReadonlyMap<string, string>,
  workloads: ReadonlyMap<string, string>,
): string | undefined {
  const node = labelValue(labels, 'node');
  if (node !== '') return nodes.has(node) ? node : undefined;
  if (labelValue(labels, 'pod') !== '') return pods.get(keyOf(labels, 'pod'));
  if (labelValue(labels, 'workload') !== '') return workloads.get(keyOf(labels, 'workload'));
  return undefined;
}

function keyOf(labels: Labels, name: 'pod' | 'workload'): string {
  return JSON.stringify([labelValue(labels, 'namespace'), labelValue(labels, name)]);
}

async function ask(
  query: Query,
  expr: string,
  atMs: number,
  signal?: AbortSignal,
): Promise<readonly VectorSample[]> {
  const { value } = await query(expr, atMs, signal);
  return value.type === 'vector' ? value.samples : [];
}
