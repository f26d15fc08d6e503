import type { Pod, PodStatus } from '../../../model/kubernetes.ts';
import { apiTime, type PodRecord } from '../pod-record.ts';
import { qosClass } from '../spec/qos-class.ts';
import { containerStatus } from './container-status.ts';

/**
 * A pod without a place on the node has nothing of a kubelet's yet: no container statuses, no start time; one that failed
 * before anything of it ran has no container statuses either.
 */
export function podStatus(pod: PodRecord, hostIp: string): PodStatus {
  const statuses = (init: boolean) =>
    pod.containers
      .filter((container) => container.init === init)
      .map((container) => containerStatus(pod, container))
      .sort((a, b) => (init || a.name === b.name ? 0 : a.name < b.name ? -1 : 1));
  const inits = statuses(true);
  const neverRan = pod.failure !== undefined && pod.containers.every(({ life }) => life === undefined);
  return {
    conditions: pod.conditions,
    ...(pod.startup.scheduledAt === undefined
      ? {}
      : {
          ...(neverRan ? {} : { containerStatuses: statuses(false) }),
          hostIP: hostIp,
          ...(inits.length === 0 || neverRan ? {} : { initContainerStatuses: inits }),
          // When the kubelet took it in, not when it was asked for.
          startTime: apiTime(pod.startup.scheduledAt),
        }),
    ...because(pod),
    phase: pod.phase,
    ...(pod.podIp === undefined ? {} : { podIP: pod.podIp, podIPs: [{ ip: pod.podIp }] }),
    qosClass: qosClass(pod.spec),
  };
}

/** Why it is as it is, where a person or the node had it so. */
function because(pod: PodRecord): { readonly reason?: string; readonly message?: string } {
  if (pod.failure) return { message: pod.failure.message, reason: pod.failure.reason };
  if (pod.heldDown) return { message: pod.heldDown.message, reason: 'Stopped' };
  return pod.pausedAt === undefined ? {} : { message: 'Paused by podvitals pause', reason: 'Paused' };
}

/** The object as the API would serve it: settings as written (references, never their values). */
export function podObject(pod: PodRecord, hostIp: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...pod.metadata,
      ...(pod.labels === undefined ? {} : { labels: pod.labels }),
      ...(pod.annotations === undefined ? {} : { annotations: pod.annotations }),
      ...(pod.deletion === undefined
        ? {}
        : {
            deletionTimestamp: apiTime(pod.deletion.at + pod.deletion.graceMs),
            deletionGracePeriodSeconds: Math.round(pod.deletion.graceMs / 1000),
          }),
    },
    spec: pod.spec,
    status: podStatus(pod, hostIp),
  };
}
