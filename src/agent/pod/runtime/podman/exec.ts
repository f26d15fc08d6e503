import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../../util/clock.ts';
import { CodedError } from '../../../../util/coded-error.ts';
import type { ExecResult } from '../runtime.ts';
import type { Life } from './life.ts';

/** The OCI runtime (runc, crun) that Podman uses on this host. */
export interface OciRuntime {
  readonly name: string;
  readonly path: string;
}

interface ExecOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const KEPT_BYTES = 16 * 1024;
/** How long output may go on to come from a child that outlives the command. */
const LINGER_MS = 100;

/**
 * Runs a command beside a container's first process with that container's user, capabilities, system call filter and
 * cgroups: by the OCI runtime itself, as Podman does, but without its service, so that probes go on while that is away.
 * Undefined where Podman's files or its runtime cannot be used from here: then it must be asked.
 *
 * Entering the namespaces alone would be quicker and not safe: the program comes from the image, and would run with all
 * the agent's capabilities.
 */
export function execByRuntime(
  life: Life,
  runtime: OciRuntime,
  command: readonly string[],
  options: ExecOptions,
  place: { readonly folder: string; readonly clock: Clock },
): Promise<ExecResult> | undefined {
  const { OCIConfigPath, OCIRuntime } = life.inspection;
  if (!OCIConfigPath || OCIRuntime !== runtime.name) return undefined;
  const description = describeProcess(OCIConfigPath, command);
  return description === undefined
    ? undefined
    : run(runtime.path, life.running.id, description, options, place);
}

/** The container's own process, with other words. Source: OCI runtime specification, config.md */
function describeProcess(configPath: string, command: readonly string[]): string | undefined {
  try {
    const { process: own } = JSON.parse(readFileSync(configPath, 'utf8')) as {
      readonly process: Readonly<Record<string, unknown>>;
    };
    // A limit that this host does not let anybody raise would refuse the whole command.
    const { rlimits: _limits, ...rest } = own;
    return JSON.stringify({ ...rest, args: command, terminal: false });
  } catch {
    return undefined;
  }
}

async function run(
  path: string,
  containerId: string,
  description: string,
  { timeoutMs, signal }: ExecOptions,
  { folder, clock }: { readonly folder: string; readonly clock: Clock },
): Promise<ExecResult> {
  signal?.throwIfAborted();
  const own = mkdtempSync(join(folder, 'exec-'));
  const [processFile, pidFile] = [join(own, 'process.json'), join(own, 'pid')];
  try {
    writeFileSync(processFile, description, { mode: 0o600 });
    const words = ['exec', '--process', processFile, '--pid-file', pidFile, containerId];
    const child = spawn(path, words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, cwd: '/' });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    let timedOut = false;
    const kill = () => {
      killPid(Number(readText(pidFile)));
      killPid(-(child.pid ?? 0));
    };
    const cancel = clock.setTimer(timeoutMs, () => {
      timedOut = true;
      kill();
    });
    signal?.addEventListener('abort', kill, { once: true });
    try {
      const exitCode = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code, name) => {
          const done = () => resolve(code ?? 128 + (name === null ? 0 : constants.signals[name]));
          child.once('close', done);
          clock.setTimer(LINGER_MS, done, { unref: true });
        });
      });
      signal?.throwIfAborted();
      return Object.freeze({ exitCode, stdout: stdout(), stderr: stderr(), timedOut });
    } finally {
      cancel();
      signal?.removeEventListener('abort', kill);
      child.stdout.destroy();
      child.stderr.destroy();
    }
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function killPid(pid: number): void {
  if (!Number.isInteger(pid) || pid === 0 || pid === 1 || pid === -1) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
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

export const notRunning = (containerId: string) =>
  new CodedError('CONTAINER_NOT_RUNNING', `container ${containerId} is not running`, { status: 409 });
