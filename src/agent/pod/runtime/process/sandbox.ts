import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '../../../../util/coded-error.ts';
import {
  childCgroup,
  enableControllers,
  killCgroup,
  makeCgroup,
  moveProcess,
  removeCgroup,
} from '../../../host/cgroup.ts';
import {
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  signalProcess,
} from '../../../host/process-identity.ts';
import { needTool } from '../../../host/tool.ts';
import type { CgroupPaths, Sandbox, SandboxConfig } from '../runtime.ts';
import type { ProcessHost } from './host.ts';
import { type InfraPlan, infraMounts, infraWords } from './infra-script.ts';
import type { PodNetwork } from './pod-network.ts';
import { type SandboxRecord, sandboxFile, writeDurably, writeRecord } from './record.ts';
import { printMountTable } from './start-script.ts';

/**
 * What a pod's limit leaves for the infra process and the shims, which run beside the containers in the pod's cgroup:
 * a container must meet its own limit first.
 */
const POD_OVERHEAD_BYTES = 32 * 1024 * 1024;

/** Tells whose the pod is, also when its folder is gone (orphans.ts). */
export const POD_FOLDER_VARIABLE = 'PODVITALS_POD_FOLDER';

export function podCgroup(host: ProcessHost, podUid: string): CgroupPaths {
  return childCgroup(host.cgroups.paths, `pod${podUid}`);
}

/** One process namespace for the pod. On the host's there is nothing left to share. */
export const sharesProcesses = (config: SandboxConfig) =>
  config.shareProcessNamespace === true && config.hostPid !== true;

export function asSandbox(record: SandboxRecord): Sandbox {
  return Object.freeze({
    podUid: record.config.podUid,
    cgroup: record.cgroup,
    ...(record.ip === undefined ? {} : { ip: record.ip }),
    ...(record.infra === undefined ? {} : { pid: record.infra.pid }),
  });
}

function makePodCgroup(host: ProcessHost, config: SandboxConfig): CgroupPaths {
  const cgroup = podCgroup(host, config.podUid);
  const { memoryLimitBytes, cpuLimitCores } = config;
  if (Object.values(host.cgroups.paths).some((path) => !existsSync(path))) host.reopenCgroups();
  makeCgroup(cgroup, {
    ...(memoryLimitBytes === undefined ? {} : { memoryBytes: memoryLimitBytes + POD_OVERHEAD_BYTES }),
    ...(cpuLimitCores === undefined ? {} : { cpuCores: cpuLimitCores }),
  });
  if (host.cgroups.mode === 'v2' && cgroup.unified !== undefined)
    enableControllers(cgroup.unified, host.cgroups.delegates);
  makeCgroup(childCgroup(cgroup, 'infra'));
  return cgroup;
}

interface Infra {
  readonly pid: number;
  /** Resolves when it has its namespaces. */
  readonly inside: Promise<void>;
  /** Who it is: the same from its beginning to its end. Undefined when it has ended. */
  identity(): ProcessIdentity | undefined;
  /** Tells it that its cgroup and link are there; resolves when all it holds is built. */
  finish(): Promise<void>;
  /** Ends it, wherever it is. */
  abandon(): void;
}

/** What the infra process says, word after word; rejects with what it complained of when it ends before. */
function wordsOf(child: ChildProcess): (word: string) => Promise<void> {
  let said = '';
  let complaint = '';
  let over: Error | undefined;
  const waiting = new Set<() => void>();
  const look = () => {
    for (const wake of waiting) wake();
  };
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    look();
  });
  const end = (error: Error) => {
    over ??= error;
    look();
  };
  child.once('error', end);
  child.once('close', (code, signal) =>
    end(new Error(complaint.trim() || `the infra process ended with ${signal ?? `exit ${code}`}`)),
  );
  return (word) =>
    new Promise((resolve, reject) => {
      const wake = () => {
        const heard = said.split('\n').includes(word);
        if (!heard && over === undefined) return;
        waiting.delete(wake);
        if (heard) resolve();
        else reject(over);
      };
      waiting.add(wake);
      wake();
    });
}

function startInfra(host: ProcessHost, network: PodNetwork, config: SandboxConfig): Infra {
  const tool = (name: Parameters<typeof needTool>[1]) => needTool(host.tools, name);
  const folder = host.layout.runtime(config.podUid);
  const dev = join(folder, 'dev');
  const plan: InfraPlan = {
    hostname: config.hostname,
    dev,
    mountTable: join(folder, 'infra-mounts'),
    ptmx: join(folder, 'ptmx'),
    network: networkOf(host, network, config),
    sysctls: config.sysctls ?? {},
    ownPid: sharesProcesses(config),
    tools: {
      sh: tool('sh'),
      unshare: tool('unshare'),
      mount: tool('mount'),
      umount: tool('umount'),
      cp: tool('cp'),
      sleep: tool('sleep'),
    },
  };
  const ownIpc = config.hostIpc !== true;
  rmSync(plan.ptmx, { force: true });
  mkdirSync(dev, { recursive: true });
  symlinkSync('pts/ptmx', plan.ptmx);
  writeFileSync(plan.mountTable, printMountTable(infraMounts(dev, ownIpc, config.memoryVolumes ?? [])));
  const words = [...host.closing, ...infraWords(plan, { network: !config.hostNetwork, ipc: ownIpc })];
  const child = spawn(words[0]!, words.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', [POD_FOLDER_VARIABLE]: host.layout.pod(config.podUid) },
  });
  // Who ended without reading it is judged by its end.
  child.stdin?.on('error', () => undefined);
  const word = wordsOf(child);
  return {
    pid: child.pid ?? -1,
    inside: word('inside'),
    identity: () => (child.pid === undefined ? undefined : identifyProcess(child.pid)),
    async finish() {
      child.stdin?.end('go\n');
      await word('ready');
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
    },
    abandon: () => void child.kill('SIGKILL'),
  };
}

const batchFile = (host: ProcessHost, podUid: string) => join(host.layout.runtime(podUid), 'network');

function networkOf(host: ProcessHost, network: PodNetwork, config: SandboxConfig): InfraPlan['network'] {
  if (config.hostNetwork) return 'host';
  const { ip } = host.tools;
  return network.routed && ip !== undefined ? { ip, batch: batchFile(host, config.podUid) } : 'loopback';
}

/** All come to their end before the first failure is told, so that nothing is undone that is still being done. */
async function together<T extends readonly Promise<unknown>[]>(
  steps: readonly [...T],
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(steps);
  return Promise.all(steps);
}

/**
 * Moving to another cgroup waits for a grace period of the kernel, some ten milliseconds: meanwhile the process builds what
 * it holds, and the link is made.
 */
async function runInfra(
  host: ProcessHost,
  network: PodNetwork,
  { config, cgroup }: SandboxRecord,
): Promise<SandboxRecord> {
  const infra = startInfra(host, network, config);
  const { podUid } = config;
  const folder = host.layout.runtime(podUid);
  const link = async () => {
    if (config.hostNetwork) return infra.inside.then(() => undefined);
    const attached = await network.attach(
      podUid,
      infra.inside.then(() => infra.pid),
    );
    if (attached !== undefined) writeFileSync(batchFile(host, podUid), attached.within);
    return attached?.address;
  };
  try {
    const [ip] = await together([link(), moveProcess(childCgroup(cgroup, 'infra'), infra.pid)]);
    const identity = infra.identity();
    const record = {
      config,
      cgroup,
      ...(identity === undefined ? {} : { infra: identity }),
      ...(ip === undefined ? {} : { ip }),
    };
    writeFileSync(join(folder, 'hosts'), hostsFile(config, ip));
    await together([infra.finish(), writeDurably(sandboxFile(folder), record)]);
    return record;
  } catch (error) {
    infra.abandon();
    throw error;
  }
}

function hostsFile(config: SandboxConfig, ip: string | undefined): string {
  return `# Written for this pod.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${ip ?? '127.0.0.1'}\t${config.hostname}\n`;
}

/** Makes the pod's cgroup, namespaces and address. A failure leaves none of them behind. */
export async function makeSandbox(
  host: ProcessHost,
  network: PodNetwork,
  config: SandboxConfig,
): Promise<SandboxRecord> {
  const folder = host.layout.runtime(config.podUid);
  const record: SandboxRecord = { config, cgroup: podCgroup(host, config.podUid) };
  try {
    writeRecord(sandboxFile(folder), record);
    makePodCgroup(host, config);
    if (!host.namespaces) return record;
    return await runInfra(host, network, record);
  } catch (error) {
    await endSandbox(host, network, record);
    throw new CodedError(
      'CreatePodSandboxError',
      `the sandbox of pod ${config.namespace}/${config.name} could not be made: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

export function isSandboxAlive(host: ProcessHost, record: SandboxRecord): boolean {
  return host.namespaces ? record.infra !== undefined && isAlive(record.infra) : true;
}

/** Ends the infra process, its namespaces, link and cgroup. The pod's volumes and logs stay. */
export async function endSandbox(
  host: ProcessHost,
  network: PodNetwork,
  record: SandboxRecord,
): Promise<void> {
  const { podUid } = record.config;
  await network.detach(podUid);
  await killCgroup(record.cgroup, host.clock);
  if (record.infra !== undefined) signalProcess(record.infra, 'SIGKILL');
  if (Object.keys(record.cgroup).length > 0) await removeCgroup(record.cgroup, host.clock);
  rmSync(host.layout.runtime(podUid), { recursive: true, force: true });
}
