import type { PodRef } from '../../model/pod-ref.ts';
import type { AgentRecord } from '../../model/record.ts';

/** What a record is found by. `key` is set for states: of those with one key only the newest is kept. */
export interface RecordIdentity {
  readonly kind: AgentRecord['kind'];
  readonly id: string;
  readonly at: number;
  readonly key?: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly workload: string;
  readonly container: string;
  readonly deleted: boolean;
}

const NOBODY = { namespace: '', pod: '', uid: '', workload: '', container: '', deleted: false };

const ofPod = (pod: PodRef) => ({
  namespace: pod.namespace,
  pod: pod.name,
  uid: pod.uid,
  workload: pod.workload,
});

export function identityOf(record: AgentRecord): RecordIdentity {
  switch (record.kind) {
    case 'event': {
      const { id, at, pod, container } = record.event;
      return { ...NOBODY, ...ofPod(pod), kind: 'event', id, at, container: container ?? '' };
    }
    case 'life': {
      const { id, finishedAt, pod, container } = record.life;
      return { ...NOBODY, ...ofPod(pod), kind: 'life', id, at: finishedAt, container };
    }
    case 'pod': {
      const { id, at, pod, deleted } = record.state;
      return { ...NOBODY, ...ofPod(pod), kind: 'pod', id, at, key: pod.uid, deleted };
    }
    case 'workload': {
      const { id, at, object, deleted } = record.state;
      const { namespace, name, uid } = object.metadata;
      return { ...NOBODY, kind: 'workload', id, at, key: uid, namespace, workload: name, uid, deleted };
    }
    case 'node': {
      const { id, at, node } = record.state;
      return { ...NOBODY, kind: 'node', id, at, key: node };
    }
  }
}
