import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { sleep } from '../../../../util/clock.ts';
import { CodedError } from '../../../../util/coded-error.ts';
import {
  type CgroupPaths,
  joinFiles,
  killCgroup,
  killCgroupExcept,
  makeCgroup,
  processHierarchy,
  removeCgroup,
} from '../../../host/cgroup.ts';
import { isAlive } from '../../../host/process-identity.ts';
import { needTool } from '../../../host/tool.ts';
import type { ExecResult, ExecSession, ExecSessionOptions, TerminalSize } from '../runtime.ts';
import { completeEnvironment, execLines } from './environment.ts';
import type { ProcessHost } from './host.ts';
import type { StartedRecord } from './life.ts';
import { hostIdentity, securityWords } from './security.ts';
import { quote, quoteAll } from './shell.ts';
import { resizeTerminal, terminalLines } from './terminal.ts';

/** Kept of each stream. */
const KEPT_BYTES = 16 * 1024;
/** Output of a child the command left behind is not waited for. */
const LINGER_MS = 100;
const SESSION_LINGER_MS = 1000;
const REAP_MS = 20;

export interface ExecOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A cgroup below the container's for this command alone, in the one hierarchy that kills; limits stay the container's. */
function execCgroup(record: StartedRecord, sequence: number): CgroupPaths {
  const directory = processHierarchy(record.cgroup);
  const entry = Object.entries(record.cgroup).find(([, path]) => path === directory);
  return entry === undefined ? {} : { [entry[0]]: `${entry[1]}/exec-${sequence}` };
}

/** Shell lines that come in by descriptor 3, so that no argument list shows the environment. */
function execScript(
  host: ProcessHost,
  record: StartedRecord,
  command: readonly string[],
  hostname: string,
  terminal?: TerminalSize,
): string {
  const security = record.config.security ?? {};
  const isRoot = process.getuid?.() === 0;
  const identity = hostIdentity(security);
  const environment = completeEnvironment(
    terminal === undefined ? record.config.env : [['TERM', 'xterm'], ...record.config.env],
    host.nodeFolder,
    hostname,
    isRoot ? identity.home : undefined,
  );
  const restrict = securityWords(security, identity, host.tools, isRoot);
  const lines = [
    `cd ${quote(record.config.workingDir ?? '/')} || exit 126`,
    'ulimit -c 0',
    'exec 3<&-',
    ...(terminal === undefined
      ? execLines(command, environment, needTool(host.tools, 'env'), restrict)
      : terminalLines(host, command, environment, restrict, terminal)),
  ];
  // A function is read whole before it runs: the shell does not come back to its script.
  return `run() {\n${lines.join('\n')}\n}\nrun\n`;
}

/** Processes of a command, and the words by which it is started. */
interface Started {
  readonly child: ChildProcess;
  readonly own: CgroupPaths;
}

function startExec(
  host: ProcessHost,
  record: StartedRecord,
  script: string,
  stdin: 'ignore' | 'pipe',
  sequence: number,
): Started {
  if (!isAlive(record.main)) {
    throw new CodedError('CONTAINER_NOT_RUNNING', `container ${record.config.name} is not running`, {
      status: 409,
    });
  }
  const own = execCgroup(record, sequence);
  makeCgroup(own);
  const others = Object.fromEntries(Object.entries(record.cgroup).filter(([name]) => !(name in own)));
  const sh = needTool(host.tools, 'sh');
  const joins = [...joinFiles(others), ...joinFiles(own)].map(
    (file) => `echo 0 > ${quote(file)} || exit 126\n`,
  );
  const inner = [sh, '-c', `eval "$(${quote(needTool(host.tools, 'cat'))} <&3)"`];
  const enter = host.namespaces
    ? [needTool(host.tools, 'nsenter'), `--target=${record.main.pid}`, '--all', '--', ...inner]
    : inner;
  const words = [...host.closing, sh, '-c', `umask 022\n${joins.join('')}exec ${quoteAll(enter)}`];
  const child = spawn(words[0]!, words.slice(1), {
    stdio: [stdin, 'pipe', 'pipe', 'pipe'],
    detached: true,
    cwd: '/',
    env: {},
  });
  const pipe = child.stdio[3] as Writable;
  pipe.on('error', () => undefined);
  pipe.end(script);
  child.stdin?.on('error', () => undefined);
  return { child, own };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let kept = 0;
  stream.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, KEPT_BYTES - kept);
    kept += part.length;
    if (part.length > 0) chunks.push(part);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

const codeOf = (code: number | null, signal: NodeJS.Signals | null) =>
  code ?? 128 + (signal === null ? 0 : constants.signals[signal]);

/**
 * Runs a command in a running container: its namespaces, cgroup, environment and working directory. When it takes
 * longer than `timeoutMs`, or is aborted, everything it started is killed.
 */
export async function execInLife(
  host: ProcessHost,
  record: StartedRecord,
  hostname: string,
  command: readonly string[],
  options: ExecOptions,
  sequence: number,
): Promise<ExecResult> {
  options.signal?.throwIfAborted();
  const script = execScript(host, record, command, hostname);
  const { child, own } = startExec(host, record, script, 'ignore', sequence);
  const stdout = collect(child.stdout!);
  const stderr = collect(child.stderr!);

  let timedOut = false;
  const kill = () => void killExec(host, own, child.pid);
  const cancelTimer = host.clock.setTimer(options.timeoutMs, () => {
    timedOut = true;
    kill();
  });
  options.signal?.addEventListener('abort', kill, { once: true });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        const done = () => resolve(codeOf(code, signal));
        child.once('close', done);
        host.clock.setTimer(LINGER_MS, done, { unref: true });
      });
    });
    options.signal?.throwIfAborted();
    return Object.freeze({ exitCode, stdout: stdout(), stderr: stderr(), timedOut });
  } finally {
    cancelTimer();
    options.signal?.removeEventListener('abort', kill);
    child.stdout!.destroy();
    child.stderr!.destroy();
    await removeExecCgroup(host, own, timedOut || options.signal?.aborted === true);
  }
}

/** A child the command left behind may hold the streams: they are cut once all was read and nothing more comes. */
function cutWhenQuiet(host: ProcessHost, streams: readonly Socket[]): void {
  const read = () => streams.reduce((sum, stream) => sum + stream.bytesRead, 0);
  const before = read();
  host.clock.setTimer(
    SESSION_LINGER_MS,
    () => {
      if (streams.every((stream) => stream.destroyed)) return;
      if (read() > before || streams.some((stream) => stream.readableLength > 0))
        return cutWhenQuiet(host, streams);
      for (const stream of streams) stream.destroy();
    },
    { unref: true },
  );
}

/**
 * As `execInLife`, connected: output as it comes, until the command has ended and its streams with it.
 * @throws CodedError `TOOL_MISSING` when a terminal is asked for and the host has no `script`.
 */
export function openExecInLife(
  host: ProcessHost,
  record: StartedRecord,
  hostname: string,
  command: readonly string[],
  options: ExecSessionOptions,
  sequence: number,
): ExecSession {
  const { terminal, stdin } = options;
  if (terminal !== undefined) for (const tool of ['script', 'stty'] as const) needTool(host.tools, tool);
  const script = execScript(host, record, command, hostname, terminal);
  // A terminal without input would end at once: it is held open instead.
  const { child, own } = startExec(
    host,
    record,
    script,
    stdin || terminal !== undefined ? 'pipe' : 'ignore',
    sequence,
  );
  let killed = false;
  const exitCode = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      child.once('close', () => resolve(codeOf(code, signal)));
      cutWhenQuiet(host, [child.stdout as Socket, child.stderr as Socket]);
    });
  }).finally(() => removeExecCgroup(host, own, killed));
  exitCode.catch(() => undefined);
  return {
    ...(child.pid === undefined ? {} : { pid: child.pid }),
    ...(stdin && child.stdin ? { stdin: child.stdin } : {}),
    stdout: child.stdout!,
    ...(terminal === undefined ? { stderr: child.stderr! } : {}),
    exitCode,
    async resize(size) {
      if (terminal !== undefined && child.exitCode === null) await resizeTerminal(host, record, own, size);
    },
    kill() {
      killed = true;
      void killExec(host, own, child.pid);
    },
  };
}

/**
 * First what runs inside, so that the `nsenter` outside reaps it: an unreaped child would keep the container's pid
 * namespace from ending. Then whatever is left.
 */
async function killExec(host: ProcessHost, own: CgroupPaths, pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  await killCgroupExcept(own, pid, host.clock);
  await sleep(host.clock, REAP_MS);
  await killCgroup(own, host.clock);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it is gone already.
  }
}

/** A command that ended in time may have left a child running: it belongs to the container and its cgroup stays. */
async function removeExecCgroup(host: ProcessHost, own: CgroupPaths, killed: boolean): Promise<void> {
  if (Object.keys(own).length === 0) return;
  if (killed) await killCgroup(own, host.clock);
  await removeCgroup(own, host.clock, killed ? 1000 : 0);
}
