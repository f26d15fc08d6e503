import { z } from 'zod';
import type { Clock } from '../../../../util/clock.ts';
import { nothing } from '../../../engines/podman/answers.ts';
import type { PodmanClient } from '../../../engines/podman/podman-client.ts';
import type { ExecResult } from '../runtime.ts';
import { made } from './answers.ts';
import { createFrames } from './frames.ts';

const inspection = z.object({ Running: z.boolean(), ExitCode: z.number(), Pid: z.number().nullish() });

const KEPT_BYTES = 16 * 1024;

/** Runs a command in a container through Podman's service: a tenth of a second, and nothing of ours on the host. */
export async function execByApi(
  client: PodmanClient,
  clock: Clock,
  containerId: string,
  command: readonly string[],
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<ExecResult> {
  const { Id } = await client.ask(
    {
      method: 'POST',
      path: `/containers/${encodeURIComponent(containerId)}/exec`,
      body: { Cmd: command, AttachStdout: true, AttachStderr: true },
      ...(signal === undefined ? {} : { signal }),
    },
    made,
  );
  const late = new AbortController();
  let timedOut = false;
  const cancel = clock.setTimer(timeoutMs, () => {
    timedOut = true;
    late.abort();
  });
  const frames = keepBoth();
  try {
    await client.stream(
      {
        method: 'POST',
        path: `/exec/${Id}/start`,
        body: { Detach: false, Tty: false },
        timeoutMs: 0,
        signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
      },
      frames.push,
    );
  } catch (error) {
    if (!timedOut) throw error;
  } finally {
    cancel();
  }
  signal?.throwIfAborted();
  const { ExitCode, Running, Pid } = await client.ask({ path: `/exec/${Id}/json` }, inspection);
  if (Running && Pid) killPid(Pid);
  await client
    .ask({ method: 'POST', path: `/exec/${Id}/remove`, body: { Force: true } }, nothing)
    .catch(() => undefined);
  return Object.freeze({ exitCode: timedOut ? 137 : ExitCode, ...frames.texts(), timedOut });
}

function killPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already, or not ours to see.
  }
}

/** The beginning of both streams. */
function keepBoth() {
  const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const sizes = { stdout: 0, stderr: 0 };
  return {
    push: createFrames((stream, bytes) => {
      const part = bytes.subarray(0, KEPT_BYTES - sizes[stream]);
      sizes[stream] += part.length;
      if (part.length > 0) kept[stream].push(Buffer.from(part));
    }),
    texts: () => ({
      stdout: Buffer.concat(kept.stdout).toString('utf8'),
      stderr: Buffer.concat(kept.stderr).toString('utf8'),
    }),
  };
}
