import type { LogLine } from '../../model/life.ts';
import type { PodRef } from '../../model/pod-ref.ts';
import type { PodTransition } from '../pod/transition.ts';
import type { PodView, WorkloadView } from '../pod/view.ts';

/** Pods that somebody else runs, seen as if they were ours: the same views, transitions and lives. */
export interface PodSource {
  /** Begins to look; what an earlier agent knew is taken up. */
  start(): Promise<void>;
  views(): { readonly pods: readonly PodView[]; readonly workloads: readonly WorkloadView[] };
  /** Undefined when it is gone, or not of this source. */
  view(uid: string): PodView | undefined;
  ownerOf(
    containerId: string,
  ): { readonly pod: PodRef; readonly container: string; readonly attempt: number } | undefined;
  /** Called at once, in order; returns the unsubscribe function. */
  onTransition(listener: (transition: PodTransition) => void): () => void;
  /** The newest lines of one life, oldest first; none where the pod is not of this source. */
  logs(
    uid: string,
    container: string,
    attempt: number,
    options: { readonly tail?: number; readonly sinceMs?: number },
  ): Promise<readonly LogLine[]>;
  followLogs(
    uid: string,
    container: string,
    attempt: number,
    onLine: (line: LogLine) => void,
    signal: AbortSignal,
  ): Promise<void>;
  close(): Promise<void>;
}
