import type { ContainerStateTerminated } from '../../../model/kubernetes.ts';
import type { KillRequest } from '../../../model/life.ts';
import { apiTime } from '../pod-record.ts';
import type { ContainerExit } from '../runtime/runtime.ts';

const SIGKILL_EXIT = 137;

/**
 * Kubernetes' word for how a container ended. OOMKilled only where the kernel counted a kill *and* the container
 * ended by SIGKILL: a child that was killed, or a 137 without a kill, is no OOM death of the container.
 */
export function terminationReason(exit: Pick<ContainerExit, 'exitCode' | 'oomKills'>): string {
  if (exit.exitCode === 0) return 'Completed';
  return exit.exitCode === SIGKILL_EXIT && (exit.oomKills ?? 0) > 0 ? 'OOMKilled' : 'Error';
}

export function terminated(exit: ContainerExit, reason = terminationReason(exit)): ContainerStateTerminated {
  return {
    containerID: exit.containerId,
    exitCode: exit.exitCode,
    finishedAt: apiTime(exit.finishedAt),
    reason,
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    startedAt: apiTime(exit.startedAt),
  };
}

/**
 * Whether nobody asked for a death. A failed liveness or startup probe, or postStart hook, kills on the container's own
 * account, so it counts; an end with 0 counts only where the container was meant to go on.
 */
export function isUnrequested(
  exitCode: number,
  killRequest: KillRequest | undefined,
  meantToGoOn: boolean,
): boolean {
  if (killRequest !== undefined && killRequest.by !== 'probe' && killRequest.by !== 'hook') return false;
  return exitCode !== 0 || meantToGoOn;
}
