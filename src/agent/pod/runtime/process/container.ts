import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '../../../../util/coded-error.ts';
import { childCgroup, joinFiles, killCgroup, makeCgroup, removeCgroup } from '../../../host/cgroup.ts';
import {
  identifyProcess,
  type ProcessIdentity,
  signalProcess,
  waitForEnd,
} from '../../../host/process-identity.ts';

import { needTool } from '../../../host/tool.ts';
import type { CgroupPaths, ContainerConfig, Mount } from '../runtime.ts';
import { completeEnvironment } from './environment.ts';
import type { ProcessHost } from './host.ts';
import { containerId } from './layout.ts';
import { type ContainerRecord, containerFile, type SandboxRecord, writeRecord } from './record.ts';
import { hostMountEntries } from './root-mounts.ts';
import { sharesProcesses } from './sandbox.ts';
import { hostIdentity, securityWords } from './security.ts';
import { lifeScript, type ShimPlan, shimScript } from './shim-script.ts';
import {
  bindEntry,
  mountSteps,
  OLD_ROOT,
  printMountTable,
  procEntry,
  type StartPlan,
  startScript,
  type TableEntry,
  tableName,
} from './start-script.ts';

const MESSAGE_FILE = '/dev/termination-log';

const isFile = (path: string) => !statSync(path).isDirectory();

/** A mount's source as it really lies on the host: a link in it would be followed inside the container. */
function resolveMount(mount: Mount, container: string): TableEntry {
  // What lies in a volume is looked at where it is mounted, as the pod sees it.
  if (mount.within !== undefined) return bindEntry(mount);
  try {
    const source = realpathSync(mount.source);
    return bindEntry({ ...mount, source, file: isFile(source) });
  } catch (cause) {
    throw new CodedError(
      'CreateContainerError',
      `container ${container}: the mount source ${mount.source} cannot be used: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** The container's mount table, outer mounts before inner ones. */
function mountTable(host: ProcessHost, config: ContainerConfig): readonly TableEntry[] {
  const runtime = host.layout.runtime(config.podUid);
  const volumes = config.mounts.map((mount) => resolveMount(mount, config.name));
  const base: TableEntry[] = [
    { source: 'sysfs', target: '/sys', type: 'sysfs', options: 'ro,nosuid,nodev,noexec' },
    { source: `${OLD_ROOT}${runtime}/dev`, target: '/dev', type: 'none', options: 'rbind' },
    bindEntry({ source: join(runtime, 'hosts'), target: '/etc/hosts', readOnly: false, file: true }),
    // Other pods' secrets lie below the data directory.
    { source: 'tmpfs', target: host.dataDir, type: 'tmpfs', options: 'ro,mode=700,size=4k' },
    bindEntry({ source: host.nodeFolder, target: host.nodeFolder, readOnly: true }),
  ];
  const replaced = new Set(volumes.map(({ target }) => target));
  const all = [
    procEntry,
    ...base.filter(({ target }) => !replaced.has(target)),
    ...volumes.sort((a, b) => a.target.length - b.target.length),
  ];
  return all.map((entry) => (needsPlace(entry, all) ? { ...entry, checked: true } : entry));
}

/**
 * A file that is to be mounted within another mount has no place there before that is made. The one everybody has is in
 * the pod's /dev already.
 */
function needsPlace(entry: TableEntry, all: readonly TableEntry[]): boolean {
  if (!entry.file || entry.target === MESSAGE_FILE) return false;
  return all.some(({ target }) => entry.target.startsWith(`${target.replace(/\/$/, '')}/`));
}

function enterWords(host: ProcessHost, sandbox: SandboxRecord): readonly string[] {
  if (!host.namespaces || sandbox.infra === undefined) return [];
  const { hostNetwork, hostIpc, hostPid } = sandbox.config;
  const namespace = (option: string, name: string) => `--${option}=/proc/${sandbox.infra!.pid}/ns/${name}`;
  const processes = sharesProcesses(sandbox.config);
  return [
    needTool(host.tools, 'nsenter'),
    namespace('uts', 'uts'),
    namespace('mount', 'mnt'),
    ...(hostIpc ? [] : [namespace('ipc', 'ipc')]),
    ...(hostNetwork ? [] : [namespace('net', 'net')]),
    // The parent stays outside, and its first child is inside, as with unshare below.
    ...(processes ? ['--no-fork', namespace('pid', 'pid_for_children')] : []),
    '--',
    ...(processes || hostPid ? [] : [needTool(host.tools, 'unshare'), '--pid', '--']),
  ];
}

function isolateWords(host: ProcessHost): readonly string[] {
  // A session of its own, so that all of it can be killed where there is no cgroup to kill.
  if (!host.namespaces) return host.tools.setsid === undefined ? [] : [host.tools.setsid];
  const cgroup = Object.keys(host.cgroups.paths).length > 0 ? ['--cgroup'] : [];
  return [needTool(host.tools, 'unshare'), '--mount', ...cgroup, '--'];
}

function writeScripts(
  host: ProcessHost,
  sandbox: SandboxRecord,
  config: ContainerConfig,
  folder: string,
  cgroup: CgroupPaths,
): void {
  const tool = (name: Parameters<typeof needTool>[1]) => needTool(host.tools, name);
  const save = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 });
  const shim: ShimPlan = {
    folder,
    sh: tool('sh'),
    dd: tool('dd'),
    cat: tool('cat'),
    rm: tool('rm'),
    infraJoins: joinFiles(childCgroup(sandbox.cgroup, 'infra')),
    containerJoins: joinFiles(cgroup),
    enter: enterWords(host, sandbox),
    isolate: isolateWords(host),
  };
  const security = config.security ?? {};
  const isRoot = process.getuid?.() === 0;
  const identity = hostIdentity(security);
  const start: StartPlan = {
    tools: {
      env: tool('env'),
      mkdir: tool('mkdir'),
      mount: host.tools.mount ?? 'mount',
      pivotRoot: host.tools.pivot_root ?? 'pivot_root',
      readlink: tool('readlink'),
      rm: tool('rm'),
      rmdir: tool('rmdir'),
      umount: host.tools.umount ?? 'umount',
    },
    folder,
    command: config.command,
    environment: completeEnvironment(
      config.env,
      host.nodeFolder,
      sandbox.config.hostname,
      isRoot ? identity.home : undefined,
    ),
    restrict: securityWords(security, identity, host.tools, isRoot),
    ...(isRoot && identity.uid !== 0 && host.tools.chown !== undefined
      ? { chown: { tool: host.tools.chown, owner: `${identity.uid}:${identity.gid}` } }
      : {}),
    workingDir: config.workingDir ?? '/',
    ...(host.root === 'shared'
      ? {}
      : {
          root: {
            upper: host.root,
            hostMounts: hostMountEntries([host.dataDir]),
            table: mountTable(host, config),
            readOnly: security.readOnlyRoot === true,
          },
        }),
  };
  save('shim.sh', shimScript(shim));
  save('life.sh', lifeScript(shim));
  save('start.sh', startScript(start));
  if (start.root === undefined) return;
  save('host-mounts', printMountTable(start.root.hostMounts));
  for (const [index, step] of mountSteps(start.root.table).entries())
    if (!('target' in step)) save(tableName(index), printMountTable(step));
}

function makeFolders(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const name of ['output', 'root', 'work', 'memory', `upper${OLD_ROOT}`])
    mkdirSync(join(folder, name), { recursive: true, mode: 0o755 });
}

/** How long the shim may take to come to its end after its container. */
const SHIM_MS = 1000;

interface Started {
  readonly shim: ProcessIdentity;
  readonly main: ProcessIdentity;
}

/** Why the start script gave up, or undefined when the command took over. */
interface StartReport {
  readonly pid?: number;
  readonly ready: boolean;
  readonly error?: string;
}

function parseReport(text: string): StartReport {
  const pid = /^pid (\d+)$/m.exec(text)?.[1];
  const error = /^error (.*)$/m.exec(text)?.[1];
  return {
    ready: /^ready$/m.test(text),
    ...(pid === undefined ? {} : { pid: Number(pid) }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Runs the shim and follows what the start script reports on descriptor 3 until it is ready, or all is over. */
function launch(
  host: ProcessHost,
  folder: string,
): Promise<{ report: StartReport; shimPid: number | undefined }> {
  const words = [...host.closing, needTool(host.tools, 'sh'), join(folder, 'shim.sh')];
  const child = spawn(words[0]!, words.slice(1), {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  const pipe = child.stdio[3] as NodeJS.ReadableStream & { destroy(): void };
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = () => {
      pipe.destroy();
      child.unref();
      resolve({ report: parseReport(text), shimPid: child.pid });
    };
    child.once('error', reject);
    pipe.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(0, 8192);
      if (/^(ready|error .*)$/m.test(text)) settle();
    });
    pipe.once('end', settle);
    pipe.once('error', settle);
  });
}

const complaintOf = (folder: string): string => {
  try {
    return readFileSync(join(folder, 'complaint'), 'utf8')
      .trim()
      .slice(-500)
      .replace(/\s*\n\s*/g, '; ');
  } catch {
    return '';
  }
};

function startError(config: ContainerConfig, report: StartReport, folder: string): CodedError {
  const complaint = complaintOf(folder);
  const why = report.error ?? 'the container ended before its command could start';
  const message = complaint === '' ? why : `${why}: ${complaint}`;
  return new CodedError('RunContainerError', `failed to start container "${config.name}": ${message}`);
}

async function launchChecked(host: ProcessHost, config: ContainerConfig, folder: string): Promise<Started> {
  const { report, shimPid } = await launch(host, folder);
  if (shimPid === undefined) throw startError(config, report, folder);
  const shim = identifyProcess(shimPid) ?? { pid: shimPid, startTicks: -1 };
  if (!report.ready || report.pid === undefined) {
    const error = startError(config, report, folder);
    await endShim(host, shim);
    throw error;
  }
  // A command may be over before it is looked at: the exit file then tells.
  const main = identifyProcess(report.pid) ?? { pid: report.pid, startTicks: -1 };
  return { shim, main };
}

/**
 * Starts one life. Its folder and cgroup are made new.
 * @throws CreateContainerError when it cannot be prepared; RunContainerError when its command cannot be started (the
 * kubelet's StartError, exit code 128).
 */
export async function startLife(
  host: ProcessHost,
  sandbox: SandboxRecord,
  config: ContainerConfig,
): Promise<ContainerRecord> {
  const folder = host.layout.life(config.podUid, config.name, config.attempt);
  const cgroup = childCgroup(sandbox.cgroup, `${config.name}-${config.attempt}`);
  const half: ContainerRecord = {
    id: containerId(config.podUid, config.name, config.attempt),
    config,
    cgroup,
  };
  const { memoryLimitBytes, cpuLimitCores, cpuRequestCores, pidsLimit } = config;
  try {
    makeFolders(folder);
    writeRecord(containerFile(folder), half);
    const limits = {
      ...(memoryLimitBytes === undefined ? {} : { memoryBytes: memoryLimitBytes }),
      ...(cpuLimitCores === undefined ? {} : { cpuCores: cpuLimitCores }),
      ...(cpuRequestCores === undefined ? {} : { cpuRequestCores }),
      ...(pidsLimit === undefined ? {} : { pids: pidsLimit }),
    };
    makeCgroup(cgroup, limits, true);
    writeScripts(host, sandbox, config, folder, cgroup);
    const started = await launchChecked(host, config, folder);
    const record = { ...half, ...started, startedAt: host.clock.now() };
    writeRecord(containerFile(folder), record);
    return record;
  } catch (error) {
    await discardLife(host, half);
    if (error instanceof CodedError) throw error;
    throw new CodedError('CreateContainerError', `container ${config.name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** SIGKILL to all its processes; without cgroups, to the session its first process leads. */
export async function killLife(host: ProcessHost, record: ContainerRecord): Promise<void> {
  await killCgroup(record.cgroup, host.clock);
  if (record.main === undefined) return;
  signalProcess(record.main, 'SIGKILL');
  if (host.namespaces) return;
  try {
    process.kill(-record.main.pid, 'SIGKILL');
  } catch {
    // Nothing left of it.
  }
}

/** The shim ends by itself after its container; else it and its pumps, one process group, are killed. */
async function endShim(host: ProcessHost, shim: ProcessIdentity): Promise<void> {
  if (await waitForEnd(shim, host.clock, SHIM_MS)) return;
  try {
    process.kill(-shim.pid, 'SIGKILL');
  } catch {
    // It ended just now.
  }
}

/** Ends whatever is left of a life and frees its cgroup and folder; its log stays. */
export async function discardLife(host: ProcessHost, record: ContainerRecord): Promise<void> {
  const { podUid, name, attempt } = record.config;
  await killLife(host, record);
  if (Object.keys(record.cgroup).length > 0) await removeCgroup(record.cgroup, host.clock);
  if (record.shim !== undefined) await endShim(host, record.shim);
  rmSync(host.layout.life(podUid, name, attempt), { recursive: true, force: true, maxRetries: 5 });
}

export const logPathOf = (host: ProcessHost, sandbox: SandboxRecord, container: string, attempt: number) =>
  join(host.layout.containerLogs(sandbox.config, container), `${attempt}.log`);
