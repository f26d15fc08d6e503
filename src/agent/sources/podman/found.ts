import { readFileSync } from 'node:fs';
import type { ContainerInspection } from '../../engines/podman/answers.ts';
import type { PodmanEvent } from '../../engines/podman/event-stream.ts';
import { readCgroupMounts } from '../../host/cgroup-hierarchy.ts';
import { type ContainerCgroups, locateCgroups } from './cgroup-location.ts';
import type { DescribedContainer } from './described-container.ts';
import type { FoundLife } from './lives.ts';

export const ALIVE_STATES = ['running', 'paused', 'stopping'];

/** What an inspection says of the container's life. */
export function foundLife({ State }: ContainerInspection): FoundLife {
  return {
    alive: ALIVE_STATES.includes(State.Status),
    ...(State.StartedAt === undefined ? {} : { startedMs: State.StartedAt }),
    ...(State.FinishedAt === undefined ? {} : { finishedMs: State.FinishedAt }),
    exitCode: State.ExitCode,
  };
}

/** Where its cgroups are; empty once it has ended. */
export function locate(found: ContainerInspection): ContainerCgroups {
  try {
    if (found.State.Pid > 0) {
      const own = readFileSync(`/proc/${found.State.Pid}/cgroup`, 'utf8');
      return locateCgroups(own, readCgroupMounts(), found.Id, found.Pod);
    }
  } catch {
    // It has ended meanwhile.
  }
  return { container: {}, pod: {} };
}

/** Where nothing of the kernel could be read, Podman's flag is all there is; older ones never set it. */
export const flagged = (found: ContainerInspection | undefined) => (found?.State.OOMKilled ? 1 : undefined);

/** The first address it has in any network; empty: none. */
export function addressOf({ NetworkSettings }: ContainerInspection): string {
  const own = NetworkSettings?.IPAddress ?? '';
  if (own !== '') return own;
  const networks = Object.values(NetworkSettings?.Networks ?? {});
  return networks.find(({ IPAddress }) => IPAddress !== '')?.IPAddress ?? '';
}

/** Podman names it by its pod; one that is gone already can be told by nothing else. */
export const isInfra = ({ name }: PodmanEvent) => /^[0-9a-f]{12}-infra$/.test(name);

/** A container that came and went between two looks, as far as its events tell. */
export function unseenContainer(id: string, own: readonly PodmanEvent[]): DescribedContainer | undefined {
  const event = own.findLast(({ action }) => action === 'start');
  if (!event) return undefined;
  const image = event.attributes.image ?? '';
  const name = event.name || id.slice(0, 12);
  return {
    container: { name, image },
    volumes: [],
    config: { image, command: [], envNames: [], configHash: '' },
    restartPolicy: 'Never',
    mostRestarts: 0,
    autoRemove: true,
  };
}
