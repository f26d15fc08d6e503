import type { PodEvent } from '../../model/event.ts';
import type { Clock } from '../../util/clock.ts';
import type { WorkloadEvent } from '../pod/workload/workload-event.ts';
import { recordId } from './record-id.ts';
import { createRepetition, type Repetition } from './repetition.ts';

/** Objects whose repeats are counted at the same time; of the one that was quiet longest they are told at once. */
const MOST_OBJECTS = 512;

/** Controllers' words as events, no more of each object than of a pod. */
export interface WorkloadEvents {
  tell(event: WorkloadEvent): void;
  flush(): void;
  readonly dropped: number;
}

export function createWorkloadEvents(
  node: string,
  clock: Clock,
  emit: (event: PodEvent) => void,
): WorkloadEvents {
  const objects = new Map<string, Repetition>();
  let droppedBefore = 0;

  const repetitionOf = (uid: string): Repetition => {
    const known = objects.get(uid);
    objects.delete(uid);
    if (objects.size >= MOST_OBJECTS) forget(objects.keys().next().value!);
    const repetition = known ?? createRepetition(clock, emit);
    objects.set(uid, repetition);
    return repetition;
  };
  const forget = (uid: string) => {
    const repetition = objects.get(uid)!;
    repetition.flush();
    droppedBefore += repetition.dropped;
    objects.delete(uid);
  };

  return {
    tell({ at, kind, namespace, name, uid, workload, workloadType, type, reason, message }) {
      repetitionOf(uid).tell({
        id: recordId(uid, 'workload', reason, at, message),
        at,
        pod: { namespace, name: '', uid, node, workload, workloadType },
        object: { kind, name },
        type,
        reason,
        message,
      });
    },
    flush() {
      for (const uid of [...objects.keys()]) forget(uid);
    },
    get dropped() {
      return [...objects.values()].reduce((sum, { dropped }) => sum + dropped, droppedBefore);
    },
  };
}
