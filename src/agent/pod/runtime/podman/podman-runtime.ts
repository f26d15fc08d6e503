import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { type Clock, sleep } from '../../../../util/clock.ts';
import { CodedError, isCodedError, messageOf } from '../../../../util/coded-error.ts';
import { nothing } from '../../../engines/podman/answers.ts';
import type { PodmanEvent } from '../../../engines/podman/event-stream.ts';
import { createPodmanClient } from '../../../engines/podman/podman-client.ts';
import type { CgroupPaths } from '../../../host/cgroup.ts';
import { cgroupMode, readCgroupMounts } from '../../../host/cgroup-hierarchy.ts';
import { createNamespaceDialer } from '../../../host/namespace-dial.ts';
import { cgroupOfProcess } from '../../../host/process-cgroup.ts';
import {
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  signalProcess,
} from '../../../host/process-identity.ts';
import { findTools } from '../../../host/tool.ts';
import { readLogFile } from '../log-reader.ts';
import type {
  Adopted,
  ContainerConfig,
  ContainerExit,
  RunningContainer,
  Runtime,
  Sandbox,
  SandboxConfig,
} from '../runtime.ts';
import {
  addressOf,
  type Container,
  container as containerAnswer,
  host as hostAnswer,
  made,
} from './answers.ts';
import { execByApi } from './api-exec.ts';
import { containerBody, podBody } from './create-body.ts';
import { execByRuntime, notRunning } from './exec.ts';
import { openExecSession } from './exec-session.ts';
import { findImage, pullImage } from './image.ts';
import { AGENT_LABEL, agentName, lifeOf, type PodNames, podName, podOf } from './labels.ts';
import { createLayout } from './layout.ts';
import { exitOf, isOver, type Life, wasStarted, watchLife } from './life.ts';
import { followLogFile } from './log-follower.ts';
import { mountMemory, unmountMemory } from './memory-volume.ts';
import { isKnown, stopSignalOf } from './stop-signal.ts';

export interface PodmanRuntimeOptions {
  readonly dataDir: string;
  /** Podman's unix socket. */
  readonly socket: string;
  readonly clock: Clock;
  readonly logger?: Pick<Logger, 'warn'>;
}

interface OpenSandbox {
  readonly names: PodNames;
  readonly podId: string;
  readonly sandbox: Sandbox;
  readonly infra: ProcessIdentity | undefined;
}

/** Deaths are told by watches and events; this look is for what they might miss. */
const SWEEP_MS = 2000;
/** Logs of so many lives of a container are kept; older ones go when it is started again. */
const KEPT_LOGS = 5;
const STOP_MS = 60_000;

/**
 * Runs pods as Podman pods over its REST API. Podman makes and runs; when to start, restart, probe and end is decided by
 * the pod worker. Everything it needs to find its pods again is in their labels.
 *
 * @throws CodedError `PODMAN_*` when there is no Podman to work with.
 */
export async function createPodmanRuntime(options: PodmanRuntimeOptions): Promise<Runtime> {
  const { clock, logger } = options;
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const client = createPodmanClient(options.socket);
  const version = await client.check();
  const { host } = await client.ask({ path: '/info' }, hostAnswer);
  const agent = agentName(dataDir);
  const layout = createLayout(dataDir);
  const tools = findTools();
  const dialer = createNamespaceDialer(tools.nsenter);
  const sandboxes = new Map<string, OpenSandbox>();
  const lives = new Map<string, Life>();
  const listeners = new Set<(exit: ContainerExit) => void>();
  const closing = new AbortController();
  let cancelSweep: (() => void) | undefined;

  const inspect = (id: string) =>
    client.ask({ path: `/containers/${encodeURIComponent(id)}/json` }, containerAnswer);
  const post = (path: string, body?: unknown, query?: Readonly<Record<string, string | number | boolean>>) =>
    client.ask(
      {
        method: 'POST',
        path,
        ...(body === undefined ? {} : { body }),
        ...(query === undefined ? {} : { query }),
      },
      nothing,
    );
  const drop = async (path: string) => {
    try {
      await client.ask(
        { method: 'DELETE', path, query: { force: true, v: true }, timeoutMs: STOP_MS },
        nothing,
      );
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  };

  const tell = (exit: ContainerExit) => {
    for (const listener of listeners) {
      try {
        listener(exit);
      } catch (error) {
        logger?.warn({ err: error, container: exit.name }, 'a listener for exits failed');
      }
    }
  };
  const follow = (running: RunningContainer, inspection: Container): Life => {
    const life = watchLife(
      { client, clock, ...(logger === undefined ? {} : { logger }) },
      running,
      inspection,
    );
    lives.set(running.id, life);
    void life.ended.then((exit) => {
      if (!closing.signal.aborted) tell(exit);
    });
    return life;
  };
  const livesOf = (podUid: string) => [...lives.values()].filter(({ running }) => running.podUid === podUid);
  const checkAll = () => {
    for (const life of lives.values()) life.check();
  };

  const sweep = () => {
    cancelSweep = clock.setTimer(
      SWEEP_MS,
      () => {
        checkAll();
        if (!closing.signal.aborted) sweep();
      },
      { unref: true },
    );
  };
  sweep();

  const onEvent = (event: PodmanEvent) => {
    const life = lives.get(event.id);
    if (life === undefined) return;
    if (event.action === 'died' && event.exitCode !== undefined) life.told(event.exitCode, event.nano / 1e6);
    else if (event.action === 'remove') life.check();
  };
  const listening = client.followEvents({
    clock,
    onEvent,
    onConnected: checkAll,
    onTrouble: (error, retryMs) =>
      logger?.warn({ err: error, retryMs }, 'Podman tells of no deaths for now; they are looked for'),
    onBadEvent: (error) => logger?.warn({ err: error }, 'an event of Podman could not be read'),
    signal: closing.signal,
  });

  const sandboxOf = (podUid: string): OpenSandbox => {
    const open = sandboxes.get(podUid);
    if (open === undefined) {
      throw new CodedError('CreateContainerError', `pod ${podUid} has no sandbox; it must be made first`, {
        status: 404,
      });
    }
    return open;
  };

  const openSandbox = async (podId: string, names: PodNames, hostNetwork: boolean): Promise<OpenSandbox> => {
    const { InfraContainerID } = await client.pod(podId);
    const infra = await inspect(InfraContainerID);
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
    if (tools.mount === undefined || host.security.rootless) return;
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
      await drop(`/pods/${podName(config)}`);
      podId = (await create()).Id;
    }
    try {
      await post(`/pods/${podId}/start`);
      return await openSandbox(podId, config, config.hostNetwork);
    } catch (error) {
      await drop(`/pods/${podId}`).catch(() => undefined);
      throw error;
    }
  };

  const forgetSandbox = async (podUid: string) => {
    const open = sandboxes.get(podUid);
    const own = livesOf(podUid);
    for (const { main } of own) if (main) signalProcess(main, 'SIGKILL');
    if (open !== undefined) await drop(`/pods/${open.podId}`);
    for (const life of own) life.check();
    await Promise.all(own.map((life) => life.ended));
    for (const life of own) lives.delete(life.running.id);
    sandboxes.delete(podUid);
    return open;
  };

  const removeContainer = async (containerId: string) => {
    const life = lives.get(containerId);
    if (life === undefined) return;
    if (life.exit === undefined) {
      if (life.main) signalProcess(life.main, 'SIGKILL');
      life.check();
    }
    await drop(`/containers/${containerId}`);
    if (life.exit === undefined) await life.ended;
    lives.delete(containerId);
    life.close();
  };

  const start = async (config: ContainerConfig, open: OpenSandbox): Promise<RunningContainer> => {
    const logPath = layout.log(open.names, config);
    mkdirSync(dirname(logPath), { recursive: true });
    const old = config.attempt - KEPT_LOGS;
    if (old >= 0) rmSync(layout.log(open.names, { ...config, attempt: old }), { force: true });
    checkMounts(config);
    const body = containerBody(config, open.names, {
      podId: open.podId,
      agent,
      logPath,
      seccompFolder: layout.seccomp,
    });
    const create = () => client.ask({ method: 'POST', path: '/containers/create', body }, made);
    let id: string;
    try {
      id = (await create()).Id;
    } catch (cause) {
      throw new CodedError('CreateContainerError', messageOf(cause), { cause });
    }
    try {
      await post(`/containers/${id}/start`);
    } catch (cause) {
      await drop(`/containers/${id}`).catch(() => undefined);
      throw new CodedError('RunContainerError', messageOf(cause), { cause });
    }
    const inspection = await inspect(id);
    const running = asRunning(inspection, config);
    follow(running, inspection);
    return running;
  };

  const adoptContainer = async (
    id: string,
    adopted: { running: RunningContainer[]; exits: ContainerExit[] },
  ) => {
    const inspection = await inspect(id);
    const names = lifeOf(inspection.Config.Labels ?? {});
    if (names === undefined) return;
    if (!wasStarted(inspection)) return drop(`/containers/${id}`);
    const running = asRunning(inspection, names);
    if (!isOver(inspection)) {
      follow(running, inspection);
      adopted.running.push(running);
      return;
    }
    const { ExitCode, FinishedAt } = inspection.State;
    const exit = exitOf(running, ExitCode, FinishedAt ?? clock.now());
    lives.set(id, deadLife(running, inspection, exit));
    adopted.exits.push(exit);
  };

  return {
    name: 'podman',
    enforcement: () => {
      const mode = cgroupMode(readCgroupMounts());
      const user = host.security.rootless ? 'rootless' : 'root';
      const limits = host.security.rootless && mode !== 'v2' ? ['resources.limits'] : [];
      const memory = host.security.rootless ? ['emptyDir.medium: Memory'] : [];
      return {
        level: `Podman ${version} (${user}, ${host.ociRuntime.name}), cgroup ${mode}`,
        notEnforced: [...limits, ...memory],
      };
    },

    async adopt(): Promise<Adopted> {
      const adopted = {
        sandboxes: [] as Sandbox[],
        running: [] as RunningContainer[],
        exits: [] as ContainerExit[],
      };
      const [pods, containers] = [await client.pods(), await client.containers()];
      for (const pod of pods) {
        if (pod.Labels[AGENT_LABEL] !== agent) continue;
        const names = podOf(pod.Labels);
        if (names === undefined) continue;
        const open = await openSandbox(pod.Id, names, false);
        sandboxes.set(names.podUid, open);
        const own = containers.filter(({ Pod, IsInfra }) => Pod === pod.Id && !IsInfra);
        const alive = open.sandbox.pid !== undefined;
        const found = { running: [] as RunningContainer[], exits: [] as ContainerExit[] };
        for (const { Id } of own) await adoptContainer(Id, found);
        adopted.exits.push(...found.exits);
        if (alive) {
          adopted.running.push(...found.running);
          adopted.sandboxes.push(open.sandbox);
          continue;
        }
        // Without its shared namespaces a pod cannot go on: what still runs in it ends.
        const ends = found.running.map(({ id }) => lives.get(id)!.ended);
        for (const { id } of found.running) signalProcess(lives.get(id)!.main!, 'SIGKILL');
        adopted.exits.push(...(await Promise.all(ends)));
      }
      return adopted;
    },

    imageId: (image) => (image === 'host' ? Promise.resolve(undefined) : findImage(client, image)),
    pullImage: (image, pullOptions = {}) => pullImage(client, image, pullOptions),

    async runSandbox(config) {
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

    async removeSandbox(podUid) {
      const open = await forgetSandbox(podUid);
      if (open === undefined) return;
      if (tools.umount !== undefined) await unmountMemory(tools.umount, layout.pod(podUid));
      rmSync(layout.podLogs(open.names), { recursive: true, force: true });
      rmSync(layout.pod(podUid), { recursive: true, force: true });
    },

    startContainer: async (config) => start(config, sandboxOf(config.podUid)),

    async stopContainer(containerId, graceMs) {
      const life = lives.get(containerId);
      if (life === undefined || life.exit !== undefined) return;
      const send = async (signal: string) => {
        if (life.main !== undefined && isKnown(signal) && signalProcess(life.main, signal)) return;
        await post(`/containers/${containerId}/kill`, undefined, { signal }).catch((error) => {
          // Gone, or dead already (which Podman 4 answers with 500): the look after it tells.
          const dead =
            isCodedError(error) &&
            (error.status === 404 || error.status === 409 || /container state improper/.test(error.message));
          if (!dead) throw error;
        });
      };
      await send(stopSignalOf(life.inspection));
      const grace = new AbortController();
      await Promise.race([life.ended, sleep(clock, graceMs, grace.signal).catch(() => undefined)]);
      grace.abort();
      if (life.exit === undefined) await send('SIGKILL');
      life.check();
      await life.ended;
    },

    async pauseContainer(containerId) {
      const life = lives.get(containerId);
      if (life === undefined || life.exit !== undefined) throw notRunning(containerId);
      if ((await inspect(containerId)).State.Status !== 'paused')
        await post(`/containers/${containerId}/pause`);
    },
    async unpauseContainer(containerId) {
      const life = lives.get(containerId);
      if (life === undefined || life.exit !== undefined) return;
      if ((await inspect(containerId)).State.Status === 'paused')
        await post(`/containers/${containerId}/unpause`);
    },

    removeContainer,

    async exec(containerId, command, execOptions) {
      const life = lives.get(containerId);
      if (life === undefined || life.exit !== undefined) throw notRunning(containerId);
      const local = execByRuntime(life, host.ociRuntime, command, execOptions, { folder: dataDir, clock });
      return (await local) ?? execByApi(client, clock, containerId, command, execOptions);
    },

    async openExec(containerId, command, sessionOptions) {
      const life = lives.get(containerId);
      if (life === undefined || life.exit !== undefined) throw notRunning(containerId);
      return openExecSession(client, containerId, command, sessionOptions);
    },

    dial: async (podUid, port) => dialer.dial(sandboxOf(podUid).sandbox.pid, port),

    async logs(podUid, container, attempt, logOptions) {
      const open = sandboxOf(podUid);
      return readLogFile(layout.log(open.names, { name: container, attempt }), logOptions);
    },

    async followLogs(podUid, container, attempt, onLine, signal) {
      const life = livesOf(podUid).find(
        ({ running }) => running.name === container && running.attempt === attempt,
      );
      if (life === undefined || life.exit !== undefined || signal.aborted) return;
      const { promise: aborted, resolve } = Promise.withResolvers<void>();
      const onAbort = () => resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      const path = layout.log(sandboxOf(podUid).names, life.running);
      await followLogFile(path, clock, onLine, Promise.race([life.ended, aborted]));
      signal.removeEventListener('abort', onAbort);
    },

    podDirectory(podUid) {
      const path = layout.pod(podUid);
      mkdirSync(path, { recursive: true });
      return path;
    },

    onExit(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    async close() {
      closing.abort();
      cancelSweep?.();
      for (const life of lives.values()) life.close();
      lives.clear();
      listeners.clear();
      dialer.close();
      await listening;
      client.close();
    },
  };
}

/** @throws CodedError `CreateContainerConfigError` for a mount that leads out of the volume it is part of. */
function checkMounts({ mounts }: ContainerConfig): void {
  for (const { source, target, within } of mounts) {
    if (within === undefined) continue;
    const [path, folder] = [realpathSync(source), realpathSync(within)];
    if (path === folder || path.startsWith(`${folder}/`)) continue;
    throw new CodedError(
      'CreateContainerConfigError',
      `the subPath mounted at ${target} leads out of its volume`,
    );
  }
}

const isGone = (error: unknown) => isCodedError(error) && error.status === 404;

function asRunning(
  { Id, State }: Container,
  life: { podUid: string; name: string; attempt: number },
): RunningContainer {
  return Object.freeze({
    id: Id,
    podUid: life.podUid,
    name: life.name,
    attempt: life.attempt,
    pid: State.Pid,
    startedAt: State.StartedAt ?? 0,
    cgroup: State.Pid > 0 ? cgroupOfProcess(State.Pid) : {},
  });
}

const deadLife = (running: RunningContainer, inspection: Container, exit: ContainerExit): Life => ({
  running,
  inspection,
  main: undefined,
  ended: Promise.resolve(exit),
  exit,
  check: () => undefined,
  told: () => undefined,
  close: () => undefined,
});

/** The pod's cgroup is the one its infra container's lies in. */
const parentOf = (paths: CgroupPaths): CgroupPaths =>
  Object.fromEntries(Object.entries(paths).map(([controller, path]) => [controller, dirname(path)]));
