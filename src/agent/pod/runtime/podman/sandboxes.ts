import { rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CodedError, isCodedError, messageOf } from '../../../../util/coded-error.ts';
import { nothing } from '../../../engines/podman/answers.ts';
import type { PodmanClient } from '../../../engines/podman/podman-client.ts';
import type { CgroupPaths } from '../../../host/cgroup.ts';
import { readCgroupMounts } from '../../../host/cgroup-hierarchy.ts';
import { cgroupOfProcess } from '../../../host/process-cgroup.ts';
import {
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  signalProcess,
} from '../../../host/process-identity.ts';
import type { Tools } from '../../../host/tool.ts';
import type { Sandbox, SandboxConfig } from '../runtime.ts';
import { addressOf, container as containerAnswer, made } from './answers.ts';
import { podBody } from './create-body.ts';
import { type PodNames, podName } from './labels.ts';
import type { Layout } from './layout.ts';
import { mountMemory, unmountMemory } from './memory-volume.ts';
import { removeForced } from './removal.ts';
import type { WatchedLives } from './watched-lives.ts';

export interface OpenSandbox {
  readonly names: PodNames;
  readonly podId: string;
  readonly sandbox: Sandbox;
  readonly infra: ProcessIdentity | undefined;
}

export interface SandboxesOptions {
  readonly client: PodmanClient;
  readonly agent: string;
  readonly layout: Layout;
  readonly tools: Pick<Tools, 'mount' | 'umount'>;
  readonly rootless: boolean;
  readonly lives: WatchedLives;
}

/** Podman pods and their infra containers: what the containers of a pod share. */
export interface Sandboxes {
  /** @throws CodedError `CreateContainerError` where there is none. */
  get(podUid: string): OpenSandbox;
  /** Takes over a pod that is there already. */
  adopt(podId: string, names: PodNames): Promise<OpenSandbox>;
  /** One that lives is kept, one without a live infra container made anew. @throws CodedError `CreatePodSandboxError`. */
  run(config: SandboxConfig): Promise<Sandbox>;
  /** Ends what runs in it, and removes all that is of it on the host. */
  remove(podUid: string): Promise<void>;
}

export function createSandboxes(options: SandboxesOptions): Sandboxes {
  const { client, agent, layout, tools, lives } = options;
  const sandboxes = new Map<string, OpenSandbox>();

  const openSandbox = async (podId: string, names: PodNames, hostNetwork: boolean): Promise<OpenSandbox> => {
    const { InfraContainerID } = await client.pod(podId);
    const infra = await client.ask({ path: `/containers/${InfraContainerID}/json` }, containerAnswer);
    const pid = infra.State.Pid;
    const ip = hostNetwork ? undefined : addressOf(infra);
    const sandbox: Sandbox = Object.freeze({
      podUid: names.podUid,
      cgroup: parentOf(pid > 0 ? cgroupOfProcess(pid) : {}),
      ...(ip === undefined ? {} : { ip }),
      ...(pid > 0 ? { pid } : {}),
    });
    return { names, podId, sandbox, infra: pid > 0 ? identifyProcess(pid) : undefined };
  };

  const makeMemory = async ({ memoryVolumes = [] }: SandboxConfig) => {
    if (tools.mount === undefined || options.rootless) return;
    for (const volume of memoryVolumes) await mountMemory(tools.mount, volume);
  };

  const makeSandbox = async (config: SandboxConfig): Promise<OpenSandbox> => {
    const create = () =>
      client.ask({ method: 'POST', path: '/pods/create', body: podBody(config, agent) }, made);
    let podId: string;
    try {
      podId = (await create()).Id;
    } catch (error) {
      // One that an earlier try left half-made has this very name.
      if (!isCodedError(error) || error.status !== 409) throw error;
      await removeForced(client, `/pods/${podName(config)}`);
      podId = (await create()).Id;
    }
    try {
      await client.ask({ method: 'POST', path: `/pods/${podId}/start` }, nothing);
      return await openSandbox(podId, config, config.hostNetwork);
    } catch (error) {
      await removeForced(client, `/pods/${podId}`).catch(() => undefined);
      throw error;
    }
  };

  const forgetSandbox = async (podUid: string) => {
    const open = sandboxes.get(podUid);
    const own = lives.of(podUid);
    for (const { main } of own) if (main) signalProcess(main, 'SIGKILL');
    if (open !== undefined) await removeForced(client, `/pods/${open.podId}`);
    for (const life of own) life.check();
    await Promise.all(own.map((life) => life.ended));
    for (const { running } of own) lives.forget(running.id);
    if (open !== undefined) removeLeftCgroup(open.sandbox.cgroup);
    sandboxes.delete(podUid);
    return open;
  };

  return {
    get(podUid) {
      const open = sandboxes.get(podUid);
      if (open !== undefined) return open;
      throw new CodedError('CreateContainerError', `pod ${podUid} has no sandbox; it must be made first`, {
        status: 404,
      });
    },
    async adopt(podId, names) {
      const open = await openSandbox(podId, names, false);
      sandboxes.set(names.podUid, open);
      return open;
    },
    async run(config) {
      const known = sandboxes.get(config.podUid);
      if (known?.infra !== undefined && isAlive(known.infra)) return known.sandbox;
      try {
        if (known !== undefined) await forgetSandbox(config.podUid);
        await makeMemory(config);
        const open = await makeSandbox(config);
        sandboxes.set(config.podUid, open);
        return open.sandbox;
      } catch (cause) {
        throw new CodedError('CreatePodSandboxError', messageOf(cause), { cause });
      }
    },
    async remove(podUid) {
      const open = await forgetSandbox(podUid);
      if (open === undefined) return;
      if (tools.umount !== undefined) await unmountMemory(tools.umount, layout.pod(podUid));
      rmSync(layout.podLogs(open.names), { recursive: true, force: true });
      rmSync(layout.pod(podUid), { recursive: true, force: true });
    },
  };
}

/** The pod's cgroup is the one its infra container's lies in. */
const parentOf = (paths: CgroupPaths): CgroupPaths =>
  Object.fromEntries(Object.entries(paths).map(([controller, path]) => [controller, dirname(path)]));

/** Podman leaves the pod's own cgroup, empty, in hierarchies none of whose controllers it uses. */
function removeLeftCgroup(cgroup: CgroupPaths): void {
  const mounts = readCgroupMounts();
  const within = Object.values(cgroup).flatMap((path) => {
    const [mount] = mounts
      .filter(({ mountPoint }) => path.startsWith(`${mountPoint}/`))
      .sort((a, b) => b.mountPoint.length - a.mountPoint.length);
    return mount === undefined ? [] : path.slice(mount.mountPoint.length);
  });
  for (const { mountPoint } of mounts) {
    for (const path of new Set(within)) {
      try {
        rmdirSync(join(mountPoint, path));
      } catch {
        // Not there: removed by Podman. Not empty: not ours.
      }
    }
  }
}
