import type { PodEvent } from '../../model/event.ts';
import type { OomKill } from '../../model/life.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import { recordId } from './record-id.ts';

/** A kill by the kernel's out-of-memory killer in a container that we know. */
export interface OomVictim {
  readonly pod: PodRef;
  readonly container: string;
  /** The life it happened in. */
  readonly attempt: number;
  readonly kill: OomKill;
}

/** One pid dies once in a life, however often the kernel's log is read; a kill without a pid is known by its time. */
export function oomKillEvent({ pod, container, attempt, kill }: OomVictim): PodEvent {
  const { pid, command, rssBytes, mainProcess } = kill;
  const process = `process ${command ?? 'of unknown name'}${pid === undefined ? '' : ` (pid ${pid})`}`;
  const size = rssBytes === undefined ? '' : ` holding ${Math.round(rssBytes / 2 ** 20)} MiB`;
  return {
    id: recordId(pod.uid, container, attempt, 'OOMKill', pid ?? `at ${kill.at}`),
    at: kill.at,
    pod,
    container,
    attempt,
    type: 'Warning',
    reason: 'OOMKill',
    message: `The kernel killed ${process}${size} of container ${container}${mainProcess ? '' : ', a child process'}`,
    details: {
      mainProcess,
      ...(pid === undefined ? {} : { pid }),
      ...(command === undefined ? {} : { command }),
      ...(rssBytes === undefined ? {} : { rssBytes }),
    },
  };
}
