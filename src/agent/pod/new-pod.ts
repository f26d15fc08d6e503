import type { ObjectMeta, PodSpec } from '../../model/kubernetes.ts';
import type { WorkloadType } from '../../model/pod-ref.ts';
import { apiTime, type PodRecord } from './pod-record.ts';
import { plannedConfig } from './spec/container-config.ts';

/** The record of a pod that is about to begin. */
export function newPod(
  asked: {
    readonly metadata: Omit<ObjectMeta, 'uid' | 'creationTimestamp'>;
    readonly spec: PodSpec;
    readonly folder: string | undefined;
    readonly workload: string;
    readonly workloadType: WorkloadType;
  },
  node: string,
  uid: string,
  now: number,
): PodRecord {
  const { labels, annotations, ...metadata } = asked.metadata;
  const { spec } = asked;
  const containers = [
    ...(spec.initContainers ?? []).map((container) => [container, true] as const),
    ...spec.containers.map((container) => [container, false] as const),
  ];
  return {
    ref: {
      namespace: metadata.namespace,
      name: metadata.name,
      uid,
      node,
      workload: asked.workload,
      workloadType: asked.workloadType,
    },
    metadata: { ...metadata, uid, creationTimestamp: apiTime(now) },
    spec,
    ...(asked.folder === undefined ? {} : { folder: asked.folder }),
    labels,
    annotations,
    containers: containers.map(([container, init]) => ({
      name: container.name,
      init,
      ready: false,
      started: false,
      image: {},
      config: plannedConfig(container),
      backOffMs: 0,
      deaths: { Completed: 0, Error: 0, OOMKilled: 0, StartError: 0 },
      requestedDeaths: {},
      crashLoops: 0,
      oomKills: 0,
      probes: {},
    })),
    startup: { createdAt: now },
    phase: 'Pending',
    conditions: [],
    ready: false,
  };
}

/** The spec once a node was chosen for it. */
export const placed = (spec: PodSpec, node: string): PodSpec => ({ ...spec, nodeName: node });
