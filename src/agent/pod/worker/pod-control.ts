import type { KillRequest } from '../../../model/life.ts';
import { CodedError } from '../../../util/coded-error.ts';
import { isRunning, type PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';

/** What a person may do with a pod as a whole; Podman's verbs. */
export const POD_VERBS = ['stop', 'start', 'restart', 'pause', 'unpause'] as const;
export type PodVerb = (typeof POD_VERBS)[number];

/** @throws CodedError `POD_TERMINATING`, `POD_ENDED`, `POD_OWNED`, `POD_STOPPED`: why the pod cannot be told that. */
export function checkVerb(pod: PodRecord, verb: PodVerb): void {
  const name = `${pod.ref.namespace}/${pod.ref.name}`;
  const refuse = (code: string, message: string) => {
    throw new CodedError(code, `pod ${name} ${message}`, { status: 409 });
  };
  if (pod.deletion) refuse('POD_TERMINATING', 'is being deleted');
  if (isTerminal(pod.phase)) {
    refuse('POD_ENDED', `has ended (${pod.phase}); delete it, and create it anew to have it run again`);
  }
  if (verb === 'stop' && pod.ref.workloadType !== 'barepod') {
    const { workloadType, workload, namespace } = pod.ref;
    refuse(
      'POD_OWNED',
      `belongs to ${workloadType} ${workload}; stop that: podvitals scale ${workloadType} ${workload} -n ${namespace} --replicas=0`,
    );
  }
  if (pod.heldDown && (verb === 'pause' || verb === 'restart'))
    refuse('POD_STOPPED', 'is stopped; start it: podvitals start POD');
}

/** Its containers are to end and stay down; those that run now run again when it is started. */
export function markStopped(pod: PodRecord, request: KillRequest): void {
  pod.heldDown ??= request;
  pod.desired = 0;
  markRerun(pod);
}

/** Every container that was ended for it begins again, at once. */
export function markStarted(pod: PodRecord): void {
  pod.heldDown = undefined;
  pod.desired = undefined;
  for (const container of pod.containers) {
    container.backOff = undefined;
    container.retryAt = undefined;
    container.waiting = undefined;
  }
}

/** What runs is to run again after its end, whatever the restart policy says. */
export function markRerun(pod: PodRecord): void {
  for (const container of pod.containers.filter(isRunning)) {
    container.rerun = true;
    container.backOff = undefined;
  }
}
