import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { sleep } from '../../../../util/clock.ts';
import { CodedError, messageOf } from '../../../../util/coded-error.ts';
import { freezeCgroup, pruneCgroup } from '../../../host/cgroup.ts';
import { createNamespaceDialer } from '../../../host/namespace-dial.ts';
import { signalProcess } from '../../../host/process-identity.ts';
import { signalNumber } from '../../../host/signal-number.ts';
import { readLogFile } from '../log-reader.ts';
import type {
  Adopted,
  ContainerConfig,
  ContainerExit,
  RunningContainer,
  Runtime,
  SandboxConfig,
} from '../runtime.ts';
import { clearPodFolder, findPods } from './adoption.ts';
import { describeEnforcement } from './capability.ts';
import { discardLife, killLife, logPathOf, startLife } from './container.ts';
import { execInLife, openExecInLife } from './exec.ts';
import { createHostPorts } from './host-ports.ts';
import { asRunning, isStarted, type Life, readExit, type StartedRecord, watchLife } from './life.ts';
import { openHost, openNetwork, openServiceRelays, type ProcessRuntimeOptions } from './open-host.ts';
import type { SandboxRecord } from './record.ts';
import { asSandbox, endSandbox, isSandboxAlive, makeSandbox } from './sandbox.ts';

/** Deaths and output are told by watches; this look is for what they might miss. */
const SWEEP_MS = 2000;

/**
 * Runs pods as plain Linux processes: namespaces and cgroups of their own, the host's root under a private layer.
 * Needs root for isolation; without it pods run as the caller's processes, and `enforcement` says what is missing.
 * Containers outlive the agent; `adopt` finds them again.
 *
 * @throws SUBNET_INVALID, TOOL_MISSING.
 */
export async function createProcessRuntime(options: ProcessRuntimeOptions): Promise<Runtime> {
  const host = await openHost(options);
  const network = openNetwork(host, options.subnet);
  const { clock } = host;
  const hostPorts = createHostPorts(clock);
  const serviceRelays = openServiceRelays(host, network);
  const dialer = createNamespaceDialer(host.tools.nsenter);
  const sandboxes = new Map<string, SandboxRecord>();
  const lives = new Map<string, Life>();
  const listeners = new Set<(exit: ContainerExit) => void>();
  let execs = 0;
  let closed = false;
  let cancelSweep: (() => void) | undefined;

  const tell = (exit: ContainerExit) => {
    for (const listener of listeners) {
      try {
        listener(exit);
      } catch (error) {
        options.logger?.warn({ err: error, container: exit.name }, 'a listener for exits failed');
      }
    }
  };

  const follow = (sandbox: SandboxRecord, record: StartedRecord): Life => {
    const { name, attempt } = record.config;
    const life = watchLife(host, record, logPathOf(host, sandbox, name, attempt));
    lives.set(record.id, life);
    return life;
  };

  const announce = (life: Life) => {
    void life.ended.then((exit) => {
      if (!closed) tell(exit);
    });
  };

  const sweep = () => {
    cancelSweep = clock.setTimer(
      SWEEP_MS,
      () => {
        for (const life of lives.values()) life.glance();
        if (!closed) sweep();
      },
      { unref: true },
    );
  };
  sweep();

  const sandboxOf = (podUid: string): SandboxRecord => {
    const record = sandboxes.get(podUid);
    if (record === undefined) {
      throw new CodedError('CreateContainerError', `pod ${podUid} has no sandbox; it must be made first`, {
        status: 404,
      });
    }
    return record;
  };

  const livesOf = (podUid: string) =>
    [...lives.values()].filter((life) => life.record.config.podUid === podUid);

  const runningRecord = (containerId: string): StartedRecord => {
    const life = lives.get(containerId);
    if (life !== undefined && life.exit === undefined) return life.record;
    throw new CodedError('CONTAINER_NOT_RUNNING', `container ${containerId} is not running`, { status: 409 });
  };

  const removeContainer = async (containerId: string) => {
    const life = lives.get(containerId);
    if (life === undefined) return;
    if (life.exit === undefined) {
      await killLife(host, life.record);
      life.check();
      await life.ended;
    }
    lives.delete(containerId);
    life.close();
    await discardLife(host, life.record);
  };

  const prune = () => {
    if (sandboxes.size === 0) pruneCgroup(host.cgroups.paths, host.cgroups.paths);
  };

  const forgetSandbox = async (podUid: string) => {
    const record = sandboxes.get(podUid);
    await Promise.all(livesOf(podUid).map((life) => removeContainer(life.record.id)));
    sandboxes.delete(podUid);
    hostPorts.close(podUid);
    if (record !== undefined) await endSandbox(host, network, record);
    return record;
  };

  const removeSandbox = async (podUid: string) => {
    const record = await forgetSandbox(podUid);
    rmSync(host.layout.pod(podUid), { recursive: true, force: true });
    if (record !== undefined) rmSync(host.layout.podLogs(record.config), { recursive: true, force: true });
    prune();
  };

  const openPorts = async ({ config, ip }: SandboxRecord) => {
    const { podUid, hostPorts: ports = [] } = config;
    if (ip !== undefined && ports.length > 0) await hostPorts.open(podUid, ip, ports);
  };

  const adoptPod = async ({ sandbox, lives: found }: ReturnType<typeof findPods>[number]) => {
    const alive = isSandboxAlive(host, sandbox);
    const running: RunningContainer[] = [];
    const exits: ContainerExit[] = [];
    for (const { folder, record } of found) {
      if (!isStarted(record)) {
        await discardLife(host, record);
        continue;
      }
      if (!alive) await killLife(host, record);
      const life = follow(sandbox, record);
      const over = !alive || readExit(folder) !== undefined;
      if (over) {
        exits.push(await life.ended);
      } else {
        announce(life);
        running.push(asRunning(record));
      }
    }
    return { alive, running, exits };
  };

  return {
    name: 'process',
    enforcement: () =>
      describeEnforcement({
        user: process.getuid?.() === 0 ? 'root' : `uid ${process.getuid?.() ?? 'unknown'}`,
        cgroups: host.cgroups,
        delegation: host.delegation,
        namespaces: host.namespaces,
        root: host.root,
        routed: network.routed,
        setpriv: host.tools.setpriv !== undefined,
      }),

    async adopt(): Promise<Adopted> {
      const found = findPods(host.layout.pods);
      const addresses = found.flatMap(({ sandbox }) =>
        sandbox.ip === undefined ? [] : [[sandbox.config.podUid, sandbox.ip] as const],
      );
      await network.adopt(new Map(addresses));
      const adopted = {
        sandboxes: [] as SandboxRecord[],
        running: [] as RunningContainer[],
        exits: [] as ContainerExit[],
      };
      for (const pod of found) {
        if (host.namespaces && pod.sandbox.infra === undefined) {
          sandboxes.set(pod.sandbox.config.podUid, pod.sandbox);
          await forgetSandbox(pod.sandbox.config.podUid);
          clearPodFolder(host.layout.pod(pod.sandbox.config.podUid));
          continue;
        }
        const { alive, running, exits } = await adoptPod(pod);
        adopted.running.push(...running);
        adopted.exits.push(...exits);
        sandboxes.set(pod.sandbox.config.podUid, pod.sandbox);
        if (!alive) continue;
        adopted.sandboxes.push(pod.sandbox);
        // A port somebody took meanwhile must not cost the pods their agent.
        await openPorts(pod.sandbox).catch((error: unknown) =>
          options.logger?.warn({ err: error, pod: pod.sandbox.config.name }, 'a host port is not open'),
        );
      }
      prune();
      return { ...adopted, sandboxes: adopted.sandboxes.map(asSandbox) };
    },

    imageUser: async () => process.getuid?.(),
    imageId: async (image) => (image === 'host' || image === '' ? 'host' : undefined),

    async pullImage(image) {
      if (image === 'host' || image === '') return 'host';
      throw new CodedError(
        'ErrImagePull',
        `image "${image}" cannot be pulled: the process runtime runs programs of this host (image: host); for images start podvitals with --runtime podman`,
        { status: 422 },
      );
    },

    async runSandbox(config: SandboxConfig) {
      const known = sandboxes.get(config.podUid);
      if (known !== undefined && isSandboxAlive(host, known)) return asSandbox(known);
      if (known !== undefined) await forgetSandbox(config.podUid);
      const record = await makeSandbox(host, network, config);
      sandboxes.set(config.podUid, record);
      try {
        await openPorts(record);
      } catch (error) {
        await forgetSandbox(config.podUid);
        throw new CodedError('CreatePodSandboxError', messageOf(error), { cause: error });
      }
      return asSandbox(record);
    },

    removeSandbox,

    async startContainer(config: ContainerConfig) {
      const sandbox = sandboxOf(config.podUid);
      const record = await startLife(host, sandbox, config);
      if (!isStarted(record))
        throw new CodedError('RunContainerError', `container ${config.name} did not start`);
      try {
        announce(follow(sandbox, record));
      } catch (cause) {
        // Its log or its folder cannot be used: nobody would ever hear of it.
        await discardLife(host, record);
        throw new CodedError('CreateContainerError', `container ${config.name}: ${messageOf(cause)}`, {
          cause,
        });
      }
      return asRunning(record);
    },

    async stopContainer(containerId, graceMs) {
      const life = lives.get(containerId);
      if (life === undefined || life.exit !== undefined) return;
      signalProcess(life.record.main, signalNumber(life.record.config.stopSignal ?? 'SIGTERM') ?? 'SIGTERM');
      const grace = new AbortController();
      await Promise.race([life.ended, sleep(clock, graceMs, grace.signal).catch(() => undefined)]);
      grace.abort();
      if (life.exit === undefined) await killLife(host, life.record);
      life.check();
      await life.ended;
    },

    async pauseContainer(containerId) {
      const life = lives.get(containerId);
      if (life === undefined || life.exit !== undefined) {
        throw new CodedError('CONTAINER_NOT_RUNNING', `container ${containerId} is not running`, {
          status: 409,
        });
      }
      if (freezeCgroup(life.record.cgroup, true)) return;
      throw new CodedError(
        'PAUSE_UNSUPPORTED',
        'this host has no cgroup that can hold processes still (cgroup v2, or the freezer of v1)',
        { status: 422 },
      );
    },
    async unpauseContainer(containerId) {
      const life = lives.get(containerId);
      if (life !== undefined && life.exit === undefined) freezeCgroup(life.record.cgroup, false);
    },

    removeContainer,

    async exec(containerId, command, execOptions) {
      const record = runningRecord(containerId);
      const { hostname } = sandboxOf(record.config.podUid).config;
      execs += 1;
      return execInLife(host, record, hostname, command, execOptions, execs);
    },

    async openExec(containerId, command, execOptions) {
      const record = runningRecord(containerId);
      const { hostname } = sandboxOf(record.config.podUid).config;
      execs += 1;
      return openExecInLife(host, record, hostname, command, execOptions, execs);
    },

    publishServices: serviceRelays.publish,

    dial: async (podUid, port) => {
      const { config, infra } = sandboxOf(podUid);
      return dialer.dial(config.hostNetwork ? undefined : infra?.pid, port);
    },

    async logs(podUid, container, attempt, logOptions) {
      const sandbox = sandboxOf(podUid);
      for (const life of livesOf(podUid)) {
        const { config } = life.record;
        if (config.name === container && config.attempt === attempt && life.exit === undefined)
          life.output.turn();
      }
      return readLogFile(logPathOf(host, sandbox, container, attempt), logOptions);
    },

    async followLogs(podUid, container, attempt, onLine, signal) {
      const life = livesOf(podUid).find(
        ({ record: { config } }) => config.name === container && config.attempt === attempt,
      );
      if (life === undefined || life.exit !== undefined || signal.aborted) return;
      const unsubscribe = life.output.onLine(onLine);
      const { promise: aborted, resolve } = Promise.withResolvers<void>();
      const onAbort = () => resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      await Promise.race([life.ended, aborted]);
      signal.removeEventListener('abort', onAbort);
      unsubscribe();
    },

    podDirectory(podUid) {
      const path = host.layout.pod(podUid);
      mkdirSync(path, { recursive: true });
      return path;
    },

    writableLayers: () => [],

    async persistentVolume(namespace, claim) {
      const path = host.layout.claim(namespace, claim);
      // Whoever a container runs as may use it, as an emptyDir.
      if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, 0o777);
      return path;
    },

    removePersistentVolume: (namespace, claim) =>
      rm(host.layout.claim(namespace, claim), { recursive: true, force: true }),

    onExit(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    async close() {
      closed = true;
      cancelSweep?.();
      hostPorts.closeAll();
      serviceRelays.close();
      dialer.close();
      for (const life of lives.values()) life.close();
      lives.clear();
      listeners.clear();
    },
  };
}
