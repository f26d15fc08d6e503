import type { Life } from '../../model/life.ts';
import type { KeyValue } from '../pod/key-value.ts';

const MOST_LIVES = 10;
/** Older lives keep the end of their log and no vital signs: the collector has them whole. */
const OLDER_LOG_LINES = 10;
const KEPT_DURABLE = 3;

/** The last ten lives of each container of the pods there are, oldest first; the newest of each whole. */
export interface LifeHistory {
  add(life: Life): void;
  of(podUid: string, container?: string): readonly Life[];
  forget(podUid: string): void;
}

/** With `keyValue` the last lives are there again after the agent's restart. */
export function createLifeHistory(keyValue?: KeyValue): LifeHistory {
  const pods = new Map<string, Map<string, readonly Life[]>>();
  for (const [, value] of keyValue?.entries('lives/') ?? []) {
    for (const life of value as readonly Life[]) keep(pods, life);
  }
  return {
    add(life) {
      const lives = keep(pods, life);
      void keyValue?.set(keyOf(life.pod.uid, life.container), lives.slice(-KEPT_DURABLE).map(lighter));
    },
    of: (podUid, container) =>
      [...(pods.get(podUid)?.entries() ?? [])]
        .filter(([name]) => container === undefined || name === container)
        .flatMap(([, lives]) => lives)
        .sort((a, b) => a.finishedAt - b.finishedAt || a.attempt - b.attempt),
    forget(podUid) {
      for (const container of pods.get(podUid)?.keys() ?? []) void keyValue?.delete(keyOf(podUid, container));
      pods.delete(podUid);
    },
  };
}

const keyOf = (podUid: string, container: string) => `lives/${podUid}/${container}`;

function keep(pods: Map<string, Map<string, readonly Life[]>>, life: Life): readonly Life[] {
  const containers = pods.get(life.pod.uid) ?? new Map<string, readonly Life[]>();
  pods.set(life.pod.uid, containers);
  const others = (containers.get(life.container) ?? []).filter(({ id }) => id !== life.id);
  const lives = [...others.slice(1 - MOST_LIVES).map(lighter), life];
  containers.set(life.container, lives);
  return lives;
}

const lighter = (life: Life): Life => ({ ...life, vitals: [], log: life.log.slice(-OLDER_LOG_LINES) });
