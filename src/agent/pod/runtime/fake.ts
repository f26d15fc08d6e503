import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { LogLine } from '../../../model/life.ts';
import type { CancelTimer, Clock } from '../../../util/clock.ts';
import { CodedError } from '../../../util/coded-error.ts';
import { signalNumber } from '../../host/signal-number.ts';
import type {
  Adopted,
  ContainerConfig,
  ContainerExit,
  ExecResult,
  PublishedService,
  RunningContainer,
  Runtime,
  Sandbox,
  SandboxConfig,
} from './runtime.ts';

/** What one life of a container does. Left out: it runs until it is told to stop, and then ends by its stop signal at once. */
export interface FakeLife {
  /** Ends by itself after so long. */
  readonly runsMs?: number;
  /** Passes between its start and the answer that it has started. */
  readonly answersAfterMs?: number;
  readonly exitCode?: number;
  readonly signal?: number;
  readonly oomKills?: number;
  /** How long it takes to end when told to, and with what; past the grace it is killed. */
  readonly stopMs?: number;
  readonly stopExitCode?: number;
  /** Cannot be ended at all, like a process in uninterruptible sleep. */
  readonly unstoppable?: boolean;
  /** Cannot be started: the reason (`RunContainerError`, `CreateContainerError`) and the message. */
  readonly startError?: { readonly code: string; readonly message: string };
  readonly log?: readonly string[];
}

export interface FakeRuntimeOptions {
  readonly clock: Clock;
  /** The life of a container's attempt. */
  readonly life?: (config: ContainerConfig) => FakeLife | undefined;
  /** How pulling an image fails; undefined: it does not. */
  readonly pullError?: (image: string) => string | undefined;
  /** Whom all images run as; not known when left out. */
  readonly imageUser?: number | string | undefined;
  /** Whether an image is here before anybody pulled it; only `host` is when left out. */
  readonly hasImage?: (image: string) => boolean;
  readonly pullMs?: number;
  readonly sandboxError?: () => string | undefined;
  readonly exec?: (containerId: string, command: readonly string[]) => Partial<ExecResult> | undefined;
  /** Whether pods and Services have an address of their own; they have when left out. */
  readonly podIps?: boolean;
}

/** A runtime that runs nothing, on a clock: for tests of what is built on runtimes. */
export interface FakeRuntime extends Runtime {
  /** Where an address and port of a Service lead now: the targets' addresses; undefined: it is refused. */
  leadsTo(address: string, port: number): readonly string[] | undefined;
  /** The containers that run now, by `pod/container`. */
  running(): readonly string[];
  /** Every verb called so far, in words. */
  readonly calls: readonly string[];
  /** What was asked for a pod and its containers, by names; the newest counts. It gives nothing of it. */
  asked(
    podName: string,
  ): { readonly sandbox: SandboxConfig; readonly container: (name: string) => ContainerConfig } | undefined;
  /** Ends a container from outside, as a `kill` on the host would. */
  kill(
    podName: string,
    container: string,
    exit?: { readonly exitCode?: number; readonly signal?: number },
  ): void;
  killById(containerId: string): void;
  /** The agent is gone: nobody hears of deaths until `adopt`. Containers go on. */
  crash(): void;
  /** The machine starts again: nothing of any pod is left, and nobody can tell how it ended. */
  reboot(): void;
  /** Removes what it keeps on disk. */
  dispose(): void;
}

interface Kept {
  readonly config: ContainerConfig;
  readonly life: FakeLife;
  readonly running: RunningContainer;
  readonly cancels: Set<CancelTimer>;
  readonly waiting: Set<() => void>;
  exit?: ContainerExit;
}

const SIGKILL_EXIT = 137;

export function createFakeRuntime(options: FakeRuntimeOptions): FakeRuntime {
  const { clock } = options;
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-fake-'));
  const sandboxes = new Map<string, Sandbox & { readonly name: string }>();
  const containers = new Map<string, Kept>();
  const logs = new Map<string, LogLine[]>();
  const calls: string[] = [];
  const asked = new Map<string, { sandbox: SandboxConfig; containers: Map<string, ContainerConfig> }>();
  const pulled = new Set<string>();
  const published = new Map<string, { readonly address: string; service: PublishedService }>();
  const listeners = new Set<(exit: ContainerExit) => void>();
  let addresses = 1;
  let pids = 1000;

  const after = (delayMs: number) => new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));

  function end(
    kept: Kept,
    exitCode: number,
    extra: { readonly signal?: number; readonly oomKills?: number } = {},
  ): void {
    if (kept.exit) return;
    for (const cancel of kept.cancels) cancel();
    const { id, podUid, name, attempt, startedAt } = kept.running;
    const signal = extra.signal ?? (exitCode > 128 && exitCode < 192 ? exitCode - 128 : undefined);
    kept.exit = {
      containerId: id,
      podUid,
      name,
      attempt,
      startedAt,
      finishedAt: clock.now(),
      exitCode,
      ...(signal === undefined ? {} : { signal }),
      oomKills: extra.oomKills ?? 0,
    };
    for (const listener of [...listeners]) listener(kept.exit);
    for (const resolve of kept.waiting) resolve();
  }

  function fail(code: string, message: string): never {
    throw new CodedError(code, message);
  }

  return {
    name: 'fake',
    calls,
    asked(podName) {
      const found = asked.get(podName);
      return found && { sandbox: found.sandbox, container: (name) => found.containers.get(name)! };
    },
    enforcement: () => ({ level: 'fake', notEnforced: [] }),
    async adopt(): Promise<Adopted> {
      const all = [...containers.values()];
      return {
        sandboxes: [...sandboxes.values()],
        running: all.filter((kept) => !kept.exit).map((kept) => kept.running),
        exits: all.flatMap((kept) => kept.exit ?? []),
      };
    },
    async imageId(image) {
      const isHere = pulled.has(image) || (options.hasImage?.(image) ?? image === 'host');
      return isHere ? `fake:${image}` : undefined;
    },
    imageUser: async () => options.imageUser,
    async pullImage(image, { signal, logins = [] } = {}) {
      calls.push(`pull ${image}${logins.map(({ username }) => ` as ${username}`).join('')}`);
      if (options.pullMs !== undefined) await after(options.pullMs);
      signal?.throwIfAborted();
      const error = options.pullError?.(image);
      if (error !== undefined) fail('ErrImagePull', error);
      pulled.add(image);
      return `fake:${image}`;
    },
    async runSandbox(config) {
      const known = sandboxes.get(config.podUid);
      if (known) return known;
      calls.push(`sandbox ${config.name}`);
      asked.set(config.name, { sandbox: config, containers: new Map() });
      const error = options.sandboxError?.();
      if (error !== undefined) fail('CreatePodSandboxError', error);
      const address = addresses++;
      const sandbox = {
        podUid: config.podUid,
        name: config.name,
        cgroup: {},
        ...(options.podIps === false || config.hostNetwork
          ? {}
          : { ip: `10.88.${Math.floor(address / 250)}.${(address % 250) + 1}` }),
      };
      sandboxes.set(config.podUid, sandbox);
      return sandbox;
    },
    async removeSandbox(podUid) {
      const sandbox = sandboxes.get(podUid);
      if (!sandbox) return;
      calls.push(`remove ${sandbox.name}`);
      for (const [id, kept] of containers) {
        if (kept.running.podUid !== podUid) continue;
        end(kept, SIGKILL_EXIT);
        containers.delete(id);
      }
      for (const key of logs.keys()) if (key.startsWith(`${podUid}/`)) logs.delete(key);
      sandboxes.delete(podUid);
      rmSync(join(folder, podUid), { recursive: true, force: true });
    },
    async startContainer(config) {
      const sandbox = sandboxes.get(config.podUid);
      if (!sandbox) fail('CreateContainerError', `no sandbox for pod ${config.podUid}`);
      calls.push(`start ${sandbox.name}/${config.name} ${config.attempt}`);
      asked.get(sandbox.name)?.containers.set(config.name, config);
      const life = options.life?.(config) ?? {};
      if (life.startError) fail(life.startError.code, life.startError.message);
      const running: RunningContainer = {
        id: `fake://${config.podUid}/${config.name}/${config.attempt}`,
        podUid: config.podUid,
        name: config.name,
        attempt: config.attempt,
        pid: pids++,
        startedAt: clock.now(),
        cgroup: {},
        ...(config.stopSignal && { stopSignal: config.stopSignal }),
      };
      const kept: Kept = { config, life, running, cancels: new Set(), waiting: new Set() };
      containers.set(running.id, kept);
      const lines = (life.log ?? []).map((text) => ({ at: clock.now(), stream: 'stdout' as const, text }));
      logs.set(`${config.podUid}/${config.name}/${config.attempt}`, lines);
      if (life.runsMs !== undefined) {
        const { signal, oomKills } = life;
        kept.cancels.add(
          clock.setTimer(life.runsMs, () =>
            end(kept, life.exitCode ?? (signal === undefined ? 0 : 128 + signal), {
              ...(signal === undefined ? {} : { signal }),
              ...(oomKills === undefined ? {} : { oomKills }),
            }),
          ),
        );
      }
      if (life.answersAfterMs !== undefined) await after(life.answersAfterMs);
      return running;
    },
    async stopContainer(containerId, graceMs) {
      const kept = containers.get(containerId);
      if (!kept || kept.exit) return;
      const { name, podUid, stopSignal } = kept.running;
      const by = stopSignal === undefined ? '' : ` ${stopSignal}`;
      calls.push(`stop ${sandboxes.get(podUid)?.name}/${name} ${graceMs}${by}`);
      await new Promise<void>((resolve) => {
        kept.waiting.add(resolve);
        if (kept.life.unstoppable) return;
        const stopMs = kept.life.stopMs ?? 0;
        const byItself = stopMs <= graceMs;
        const asked = 128 + signalNumber(stopSignal ?? 'SIGTERM')!;
        const exitCode = byItself ? (kept.life.stopExitCode ?? asked) : SIGKILL_EXIT;
        kept.cancels.add(clock.setTimer(byItself ? stopMs : graceMs, () => end(kept, exitCode)));
      });
    },
    async pauseContainer(containerId) {
      const kept = containers.get(containerId);
      if (!kept || kept.exit) fail('CONTAINER_NOT_RUNNING', `container ${containerId} is not running`);
      calls.push(`pause ${sandboxes.get(kept.running.podUid)?.name}/${kept.running.name}`);
    },
    async unpauseContainer(containerId) {
      const kept = containers.get(containerId);
      if (kept && !kept.exit)
        calls.push(`unpause ${sandboxes.get(kept.running.podUid)?.name}/${kept.running.name}`);
    },
    async removeContainer(containerId) {
      if (containers.get(containerId)?.exit) containers.delete(containerId);
    },
    async exec(containerId, command, { timeoutMs }) {
      const kept = containers.get(containerId);
      if (!kept || kept.exit) fail('ExecError', `container ${containerId} does not run`);
      const result = {
        exitCode: 0,
        stdout: '',
        stderr: '',
        timedOut: false,
        ...options.exec?.(containerId, command),
      };
      if (result.timedOut) await after(timeoutMs);
      return result;
    },
    async openExec(containerId, command, { terminal }) {
      const kept = containers.get(containerId);
      if (!kept || kept.exit) fail('CONTAINER_NOT_RUNNING', `container ${containerId} is not running`);
      const { exitCode = 0, stdout = '', stderr = '' } = options.exec?.(containerId, command) ?? {};
      const echo = command[0] === 'cat' ? new PassThrough() : undefined;
      return {
        ...(echo === undefined ? {} : { stdin: echo }),
        stdout: echo ?? Readable.from([stdout].filter(Boolean), { objectMode: false }),
        ...(terminal === undefined ? { stderr: Readable.from([stderr].filter(Boolean)) } : {}),
        exitCode: Promise.resolve(exitCode),
        resize: async () => {},
        kill: () => void echo?.end(),
      };
    },
    async publishServices(services) {
      for (const uid of published.keys())
        if (!services.some((service) => service.uid === uid)) published.delete(uid);
      if (options.podIps === false) return new Map();
      for (const service of services) {
        const known = published.get(service.uid);
        if (known) known.service = service;
        else published.set(service.uid, { address: `10.96.0.${addresses++}`, service });
      }
      return new Map([...published].map(([uid, { address }]) => [uid, address]));
    },
    async dial(podUid, port) {
      fail('PORT_UNREACHABLE', `nothing answers on port ${port} of pod ${podUid}`);
    },
    async logs(podUid, container, attempt, { tail, sinceMs }) {
      const lines = (logs.get(`${podUid}/${container}/${attempt}`) ?? []).filter(
        (line) => line.at >= (sinceMs ?? 0),
      );
      return tail === undefined ? lines : lines.slice(lines.length - Math.min(tail, lines.length));
    },
    async followLogs(podUid, container, attempt, _onLine, signal) {
      const kept = containers.get(`fake://${podUid}/${container}/${attempt}`);
      if (!kept || kept.exit || signal.aborted) return;
      await new Promise<void>((resolve) => {
        kept.waiting.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
    podDirectory: (podUid) => join(folder, podUid),
    writableLayers: () => [],
    async persistentVolume(namespace, claim) {
      const path = join(folder, 'claims', namespace, claim);
      mkdirSync(path, { recursive: true });
      return path;
    },
    async removePersistentVolume(namespace, claim) {
      calls.push(`remove claim ${namespace}/${claim}`);
      rmSync(join(folder, 'claims', namespace, claim), { recursive: true, force: true });
    },
    onExit(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      listeners.clear();
    },
    leadsTo(address, port) {
      const found = [...published.values()].find((one) => one.address === address);
      const targets = found?.service.ports.find((one) => one.port === port)?.targets ?? [];
      return targets.length === 0 ? undefined : targets.map((target) => `${target.ip}:${target.port}`);
    },
    running: () =>
      [...containers.values()]
        .filter((kept) => !kept.exit)
        .map(({ running }) => `${sandboxes.get(running.podUid)?.name}/${running.name}`),
    kill(podName, container, exit = {}) {
      for (const kept of containers.values()) {
        const { name, podUid } = kept.running;
        if (kept.exit || name !== container || sandboxes.get(podUid)?.name !== podName) continue;
        end(kept, exit.exitCode ?? SIGKILL_EXIT, exit.signal === undefined ? {} : { signal: exit.signal });
      }
    },
    killById(containerId) {
      const kept = containers.get(containerId);
      if (kept) end(kept, SIGKILL_EXIT);
    },
    crash: () => listeners.clear(),
    reboot() {
      listeners.clear();
      for (const kept of containers.values()) for (const cancel of kept.cancels) cancel();
      containers.clear();
      sandboxes.clear();
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
