import type { SignalLabel } from './signal.ts';

/** A label that says whose value it is: an attribute of the OTLP resource. */
export const ofResource = (name: string, attribute: string): SignalLabel => ({
  name,
  attribute,
  on: 'resource',
});

/** A label that tells the series of one resource apart: an attribute of the OTLP data point. */
export const ofPoint = (name: string, attribute = `podvitals.${name}`): SignalLabel => ({
  name,
  attribute,
  on: 'point',
});

export const NAMESPACE = ofResource('namespace', 'k8s.namespace.name');
export const POD = ofResource('pod', 'k8s.pod.name');
export const UID = ofResource('uid', 'k8s.pod.uid');
export const CONTAINER = ofResource('container', 'k8s.container.name');
export const NODE = ofResource('node', 'k8s.node.name');
export const WORKLOAD = ofResource('workload', 'podvitals.workload.name');
export const WORKLOAD_TYPE = ofResource('workload_type', 'podvitals.workload.type');

/** `container` or `init_container`. */
export const CONTAINER_TYPE = ofPoint('container_type', 'podvitals.container.type');
export const REASON = ofPoint('reason');

/** The labels kube-state-metrics puts on every series about a pod. */
export const OF_POD = [NAMESPACE, POD, UID] as const;
export const OF_CONTAINER = [...OF_POD, CONTAINER] as const;
export const OF_WORKLOAD = [NAMESPACE, WORKLOAD, WORKLOAD_TYPE] as const;
export const OWNER = [ofPoint('owner_kind'), ofPoint('owner_name'), ofPoint('owner_is_controller')] as const;
