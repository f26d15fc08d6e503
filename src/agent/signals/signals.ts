import type { Node } from '../../model/kubernetes.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { Point } from '../../wire/catalogue/signal.ts';
import type { PodView, WorkloadView } from '../pod/view.ts';
import type { DnsLookups } from '../stats/dns/lookup-histogram.ts';
import type { Usages } from '../stats/stats-reader.ts';
import type { NodeUsage } from '../stats/usage.ts';
import { containerPoints, podCgroupPoints } from './container.ts';
import { containerStatusPoints } from './container-status.ts';
import { lifePoints } from './life.ts';
import { dnsPoints, networkPoints } from './network.ts';
import {
  type AgentFacts,
  agentPoints,
  kubeletPoints,
  namespacePoints,
  nodePoints,
  nodeStatePoints,
} from './node.ts';
import { objectPoints } from './object.ts';
import { podPoints } from './pod.ts';
import { startupPoints } from './startup.ts';
import { verdictPoints } from './verdict.ts';
import { workloadPoints } from './workload.ts';

/** What is known of a pod besides its object and its use of the machine; absent: nothing. */
export interface MoreOfPod {
  readonly lookups?: DnsLookups | undefined;
  readonly verdict?: Verdict | undefined;
}

export interface Observed {
  readonly pods: readonly PodView[];
  readonly workloads: readonly WorkloadView[];
  /** All that are no pods. */
  readonly objects: readonly KubernetesObject[];
  readonly usages: Usages;
  readonly more: (podUid: string) => MoreOfPod;
  readonly node?: NodeUsage;
  readonly nodeObject: Node;
  readonly evictions: Readonly<Record<string, number>>;
  readonly agent: AgentFacts;
}

/** Every series there is now. What is absent here has ended. */
export function pointsOf(observed: Observed): readonly Point[] {
  return [
    ...observed.pods.flatMap((pod) => pointsOfPod(pod, observed.usages, observed.more(pod.ref.uid))),
    ...pointsBesidePods(observed),
  ];
}

/** The series that belong to no one pod: workloads, namespaces, the node, the agent. */
export function pointsBesidePods({
  pods,
  workloads,
  objects,
  node,
  nodeObject,
  evictions,
  agent,
}: Omit<Observed, 'usages'>): readonly Point[] {
  return [
    ...workloads.flatMap(workloadPoints),
    ...objects.flatMap(objectPoints),
    ...namespacePoints(pods, objects),
    ...kubeletPoints(agent.node, pods, evictions),
    ...(node ? nodePoints(agent.node, node, nodeObject) : []),
    ...nodeStatePoints(nodeObject),
    ...agentPoints(agent),
  ];
}

/** Every series of one pod now, for a flush when something happened to it. */
export function pointsOfPod(view: PodView, usages: Usages, more: MoreOfPod = {}): readonly Point[] {
  const pod = usages.pods.get(view.ref.uid);
  // Spreading these would cost several times what making them does.
  return pointsOfView(view).concat(
    ...view.containers.map((container) => {
      const usage = container.running && usages.containers.get(container.running.id);
      return containerPoints(view, container, usage).concat(lifePoints(view, container, usage));
    }),
    podCgroupPoints(view, pod),
    networkPoints(view, pod),
    dnsPoints(view, more.lookups),
    verdictPoints(view, more.verdict),
  );
}

/** Those that say no more than the view does: a pod that has not changed has the view it had, and the same points. */
function pointsOfView(view: PodView): readonly Point[] {
  const known = madeOf.get(view);
  if (known) return known;
  const points = podPoints(view).concat(containerStatusPoints(view), startupPoints(view));
  madeOf.set(view, points);
  return points;
}

const madeOf = new WeakMap<PodView, readonly Point[]>();
