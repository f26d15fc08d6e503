import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '../../../../util/coded-error.ts';
import {
  childCgroup,
  enableControllers,
  joinFiles,
  killCgroup,
  makeCgroup,
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
import { infraScript } from './infra-script.ts';
import type { PodNetwork } from './pod-network.ts';
import { type SandboxRecord, sandboxFile, writeRecord } from './record.ts';

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

/** Resolves when the infra process has built everything it holds; rejects with what it complained of. */
function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2000);
    });
    child.once('error', reject);
    child.stdout?.once('data', () => resolve());
    child.once('close', (code, signal) =>
      reject(new Error(complaint.trim() || `the infra process ended with ${signal ?? `exit ${code}`}`)),
    );
  });
}

async function startInfra(
  host: ProcessHost,
  config: SandboxConfig,
  cgroup: CgroupPaths,
): Promise<ProcessIdentity> {
  const tool = (name: Parameters<typeof needTool>[1]) => needTool(host.tools, name);
  const dev = join(host.layout.runtime(config.podUid), 'dev');
  mkdirSync(dev, { recursive: true });
  const script = infraScript({
    joins: joinFiles(childCgroup(cgroup, 'infra')),
    hostname: config.hostname,
    dev,
    ownNetwork: !config.hostNetwork,
    ownIpc: config.hostIpc !== true,
    ownPid: sharesProcesses(config),
    memoryVolumes: config.memoryVolumes ?? [],
    tools: {
      sh: tool('sh'),
      unshare: tool('unshare'),
      mount: tool('mount'),
      umount: tool('umount'),
      mkdir: tool('mkdir'),
      cp: tool('cp'),
      ln: tool('ln'),
      sleep: tool('sleep'),
    },
  });
  const words = [...host.closing, tool('sh'), '-c', script];
  const child = spawn(words[0]!, words.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', [POD_FOLDER_VARIABLE]: host.layout.pod(config.podUid) },
  });
  await untilReady(child);
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
  const infra = child.pid === undefined ? undefined : identifyProcess(child.pid);
  if (infra === undefined) throw new Error('the infra process ended at once');
  return infra;
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
  let record: SandboxRecord = { config, cgroup: podCgroup(host, config.podUid) };
  try {
    writeRecord(sandboxFile(folder), record);
    makePodCgroup(host, config);
    if (!host.namespaces) return record;
    const infra = await startInfra(host, config, record.cgroup);
    record = { ...record, infra };
    const ip = config.hostNetwork ? undefined : await network.attach(config.podUid, infra.pid);
    if (ip !== undefined) record = { ...record, ip };
    writeFileSync(join(folder, 'hosts'), hostsFile(config, ip));
    writeRecord(sandboxFile(folder), record);
    return record;
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
