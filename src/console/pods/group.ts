import { compareTrouble, type PodSummary, type Trouble } from '../../model/pod-summary.ts';

/** The pods of one workload, worst first. */
export interface WorkloadGroup {
  readonly key: string;
  readonly namespace: string;
  readonly workload: string;
  readonly workloadType: string;
  readonly trouble: Trouble;
  readonly ready: number;
  readonly pods: readonly PodSummary[];
}

/** Groups whose worst pod is worst come first. */
export function groupByWorkload(pods: readonly PodSummary[]): readonly WorkloadGroup[] {
  const groups = new Map<string, PodSummary[]>();
  for (const pod of [...pods].sort(compareTrouble)) {
    const key = `${pod.namespace}/${pod.workloadType}/${pod.workload}`;
    groups.set(key, [...(groups.get(key) ?? []), pod]);
  }
  return [...groups].map(([key, members]) => {
    const { namespace, workload, workloadType, trouble } = members[0]!;
    const ready = members.filter((pod) => pod.readyContainers === pod.containers).length;
    return { key, namespace, workload, workloadType, trouble, ready, pods: members };
  });
}
