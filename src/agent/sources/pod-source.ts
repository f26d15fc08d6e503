import type { PodManager } from '../pod/pod-manager.ts';
import type { ExecSession, ExecSessionOptions, Runtime } from '../pod/runtime/runtime.ts';
import type { PodVerb } from '../pod/worker/pod-control.ts';

/**
 * Pods that somebody else runs, seen as if they were ours: the same views, transitions, lives and logs, by the same
 * methods. What is asked about a pod that is not of this source has no answer: undefined, no lines.
 */
export interface PodSource
  extends Pick<PodManager, 'view' | 'ownerOf' | 'onTransition'>,
    Pick<Runtime, 'logs' | 'followLogs' | 'dial'> {
  /** Begins to look; what an earlier agent knew is taken up. */
  start(): Promise<void>;
  views(): Pick<ReturnType<PodManager['views']>, 'pods' | 'workloads'>;
  /** Asks whoever runs the pod; what comes of it is seen like anything else. @throws CodedError in their words. */
  control(uid: string, verb: PodVerb): Promise<void>;
  /** As `control`; resolves when the pod is gone. `graceSeconds`: instead of the containers' own. */
  remove(uid: string, graceSeconds?: number): Promise<void>;
  /** @throws CodedError when the container does not run. */
  exec(
    uid: string,
    container: string,
    command: readonly string[],
    options: ExecSessionOptions,
  ): Promise<ExecSession>;
  close(): Promise<void>;
}
