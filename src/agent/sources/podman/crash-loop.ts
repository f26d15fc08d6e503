import type { Pod } from '../../../model/kubernetes.ts';
import type { PodView } from '../../pod/view.ts';
import type { ContainerMemory, PodmanPod } from './podman-pod.ts';

/** Three or more deaths nobody asked for within half an hour, of a container that is started again each time. */
const DEATHS = 3;
const WITHIN_MS = 30 * 60_000;
/** Podman restarts at once. Until it has run so long, a container that crash-loops is not back. */
const BACK_AFTER_MS = 10_000;

export const recentDeaths = (deathsMs: readonly number[], now: number): readonly number[] =>
  deathsMs.filter((at) => at > now - WITHIN_MS).slice(-100);

export function isCrashLooping({ deathsMs, restartPolicy }: ContainerMemory, now: number): boolean {
  return restartPolicy !== 'Never' && recentDeaths(deathsMs, now).length >= DEATHS;
}

/**
 * The view with the word that every rule for crash loops asks for. Podman knows no back-off, so a container that
 * crash-loops never waits: it is shown as CrashLoopBackOff while it is down and for the first 10 s of each life.
 */
export function withCrashLoops(view: PodView, pod: PodmanPod, now: number): PodView {
  const looping = new Set(
    Object.values(pod.containers)
      .filter((memory) => isCrashLooping(memory, now) && !isBack(view, memory.name, now))
      .map(({ name }) => name),
  );
  if (looping.size === 0 || pod.record.stopped || pod.record.failure) return view;
  const object: Pod = {
    ...view.object,
    status: {
      ...view.object.status,
      containerStatuses: (view.object.status.containerStatuses ?? []).map((status) => {
        if (!looping.has(status.name)) return status;
        const ended = status.state.terminated ?? status.lastState.terminated;
        return {
          ...status,
          ready: false,
          started: false,
          state: {
            waiting: {
              reason: 'CrashLoopBackOff',
              message: `Podman restarts ${status.name} at once, and it dies again`,
            },
          },
          lastState: ended === undefined ? {} : { terminated: ended },
        };
      }),
    },
  };
  return { ...view, object };
}

function isBack(view: PodView, name: string, now: number): boolean {
  const running = view.containers.find((container) => container.name === name)?.running;
  return running !== undefined && now - running.startedAt >= BACK_AFTER_MS;
}
