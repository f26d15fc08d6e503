import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { sleep } from '../../../../util/clock.ts';
import { CodedError, isCodedError, messageOf } from '../../../../util/coded-error.ts';
import { nothing } from '../../../engines/podman/answers.ts';
import { createPodmanClient } from '../../../engines/podman/podman-client.ts';
import { cgroupMode, readCgroupMounts } from '../../../host/cgroup-hierarchy.ts';
import { createNamespaceDialer } from '../../../host/namespace-dial.ts';
import { cgroupOfProcess } from '../../../host/process-cgroup.ts';
import { signalProcess } from '../../../host/process-identity.ts';
import { signalNumber } from '../../../host/signal-number.ts';
import { findTools } from '../../../host/tool.ts';
import { readLogFile } from '../log-reader.ts';
import type {
  Adopted,
  ContainerConfig,
  ContainerExit,
  RunningContainer,
  Runtime,
  Sandbox,
} from '../runtime.ts';
import { type Container, container as containerAnswer, host as hostAnswer, made } from './answers.ts';
import { execByApi } from './api-exec.ts';
import { containerBody } from './create-body.ts';
import { execByRuntime, notRunning } from './exec.ts';
import { openExecSession } from './exec-session.ts';
import { findImage, imageUser, pullImage } from './image.ts';
import { AGENT_LABEL, agentName, containerName, lifeOf, podOf } from './labels.ts';
import { createLayout } from './layout.ts';
import { exitOf, isOver, type Life, type LifeContext, wasStarted } from './life.ts';
import { followLogFile } from './log-follower.ts';
import { persistentVolume, removePersistentVolume } from './persistent-volume.ts';
import { removeForced } from './removal.ts';
import { createSandboxes, type OpenSandbox } from './sandboxes.ts';
import { stopSignalOf } from './stop-signal.ts';
import { createWatchedLives } from './watched-lives.ts';

export interface PodmanRuntimeOptions extends Omit<LifeContext, 'client'> {
  readonly dataDir: string;
  /** Podman's unix socket. */
  readonly socket: string;
}

/** Logs of so many lives of a container are kept; older ones go when it is started again. */
const KEPT_LOGS = 5;

/**
 * Runs pods as Podman pods over its REST API. Podman makes and runs; when to start, restart, probe and end is decided by
 * the pod worker. Everything it needs to find its pods again is in their labels.
 *
 * @throws CodedError `PODMAN_*` when there is no Podman to work with.
 */
export async function createPodmanRuntime(options: PodmanRuntimeOptions): Promise<Runtime> {
  const { clock } = options;
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const client = createPodmanClient(options.socket);
  const version = await client.check();
  const { host } = await client.ask({ path: '/info' }, hostAnswer);
  const agent = agentName(dataDir);
  const layout = createLayout(dataDir);
  const tools = findTools();
  const dialer = createNamespaceDialer(tools.nsenter);
  const lives = createWatchedLives({ ...options, client });
  const sandboxes = createSandboxes({
    client,
    agent,
    layout,
    tools,
    rootless: host.security.rootless,
    lives,
  });

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
  const drop = (path: string) => removeForced(client, path);
  const lifeOfRunning = (containerId: string) => {
    const life = lives.get(containerId);
    if (life === undefined || life.exit !== undefined) throw notRunning(containerId);
    return life;
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
    lives.forget(containerId);
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
      id = (
        await create().catch(async (cause) => {
          // The name is this attempt's alone: a start of it that failed half way could not be cleared away then.
          if (!/name .* is already in use/.test(messageOf(cause))) throw cause;
          await drop(`/containers/${encodeURIComponent(containerName(open.names, config))}`);
          return create();
        })
      ).Id;
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
    lives.follow(running, inspection);
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
      lives.follow(running, inspection);
      adopted.running.push(running);
      return;
    }
    const { ExitCode, FinishedAt } = inspection.State;
    const exit = exitOf(running, ExitCode, FinishedAt ?? clock.now());
    lives.add(deadLife(running, inspection, exit));
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
        notEnforced: [
          ...limits,
          ...memory,
          'Service.spec.ports.targetPort',
          'volumeClaimTemplates.resources.requests.storage',
        ],
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
        const open = await sandboxes.adopt(pod.Id, names);
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
    imageUser: (image) => imageUser(client, image),

    runSandbox: (config) => sandboxes.run(config),
    removeSandbox: (podUid) => sandboxes.remove(podUid),

    startContainer: async (config) => start(config, sandboxes.get(config.podUid)),

    async stopContainer(containerId, graceMs) {
      const life = lives.get(containerId);
      if (life === undefined || life.exit !== undefined) return;
      const send = async (signal: string) => {
        const number = signalNumber(signal);
        if (life.main !== undefined && number !== undefined && signalProcess(life.main, number)) return;
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
      lifeOfRunning(containerId);
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
      const life = lifeOfRunning(containerId);
      const local = execByRuntime(life, host.ociRuntime, command, execOptions, { folder: dataDir, clock });
      return (await local) ?? execByApi(client, clock, containerId, command, execOptions);
    },

    async openExec(containerId, command, sessionOptions) {
      lifeOfRunning(containerId);
      return openExecSession(client, containerId, command, sessionOptions);
    },

    publishServices: async () => new Map(),

    dial: async (podUid, port) => dialer.dial(sandboxes.get(podUid).sandbox.pid, port),

    async logs(podUid, container, attempt, logOptions) {
      const open = sandboxes.get(podUid);
      return readLogFile(layout.log(open.names, { name: container, attempt }), logOptions);
    },

    async followLogs(podUid, container, attempt, onLine, signal) {
      const life = lives
        .of(podUid)
        .find(({ running }) => running.name === container && running.attempt === attempt);
      if (life === undefined || life.exit !== undefined || signal.aborted) return;
      const { promise: aborted, resolve } = Promise.withResolvers<void>();
      const onAbort = () => resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      const path = layout.log(sandboxes.get(podUid).names, life.running);
      await followLogFile(path, clock, onLine, Promise.race([life.ended, aborted]));
      signal.removeEventListener('abort', onAbort);
    },

    podDirectory(podUid) {
      const path = layout.pod(podUid);
      mkdirSync(path, { recursive: true });
      return path;
    },

    writableLayers: (podUid) =>
      lives.of(podUid).flatMap(({ inspection }) => inspection.GraphDriver?.Data?.UpperDir ?? []),
    persistentVolume: (namespace, claim) => persistentVolume(client, namespace, claim),
    removePersistentVolume: (namespace, claim) => removePersistentVolume(client, namespace, claim),
    onExit: lives.onExit,

    async close() {
      await lives.close();
      dialer.close();
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

function asRunning(
  inspection: Container,
  life: { podUid: string; name: string; attempt: number },
): RunningContainer {
  const { Id, State } = inspection;
  const stopSignal = stopSignalOf(inspection);
  return Object.freeze({
    id: Id,
    podUid: life.podUid,
    name: life.name,
    attempt: life.attempt,
    pid: State.Pid,
    startedAt: State.StartedAt ?? 0,
    cgroup: State.Pid > 0 ? cgroupOfProcess(State.Pid) : {},
    ...(stopSignal === 'SIGTERM' ? {} : { stopSignal }),
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
