import type { Socket } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { z } from 'zod';
import { CodedError, messageOf } from '../../../../util/coded-error.ts';
import { request } from '../../../../util/node-http.ts';
import { nothing } from '../../../engines/podman/answers.ts';
import type { PodmanClient } from '../../../engines/podman/podman-client.ts';
import type { ExecSession, ExecSessionOptions, TerminalSize } from '../runtime.ts';
import { made } from './answers.ts';
import { createFrames } from './frames.ts';

const inspection = z.object({ Running: z.boolean(), ExitCode: z.number(), Pid: z.number().nullish() });

/** A command with live streams: Podman's own exec, over a connection that turns into the streams themselves. */
export async function openExecSession(
  client: PodmanClient,
  containerId: string,
  command: readonly string[],
  { stdin, terminal }: ExecSessionOptions,
): Promise<ExecSession> {
  const { Id } = await client.ask(
    {
      method: 'POST',
      path: `/containers/${encodeURIComponent(containerId)}/exec`,
      body: {
        Cmd: command,
        AttachStdin: stdin,
        AttachStdout: true,
        AttachStderr: true,
        Tty: terminal !== undefined,
      },
    },
    made,
  );
  const socket = await upgrade(client.socket, `/v4.0.0/libpod/exec/${Id}/start`, {
    Detach: false,
    Tty: terminal !== undefined,
    ...(terminal === undefined ? {} : { h: terminal.rows, w: terminal.columns }),
  });
  const look = () => client.ask({ path: `/exec/${Id}/json` }, inspection);
  const resize = async ({ rows, columns }: TerminalSize) => {
    if (terminal === undefined) return;
    const query = { h: rows, w: columns };
    await client.ask({ method: 'POST', path: `/exec/${Id}/resize`, query }, nothing);
  };
  const stdout = new PassThrough();
  const stderr = terminal === undefined ? new PassThrough() : undefined;
  const frames = createFrames((stream, bytes) => (stream === 'stderr' ? stderr! : stdout).write(bytes));
  const ended = Promise.withResolvers<void>();
  socket.on('data', (chunk: Buffer) => {
    if (terminal === undefined) frames(chunk);
    else stdout.write(chunk);
    // Who does not read holds up the command, not our memory.
    if (stdout.writableNeedDrain || stderr?.writableNeedDrain) {
      socket.pause();
      const go = () => socket.resume();
      (stdout.writableNeedDrain ? stdout : stderr!).once('drain', go);
    }
  });
  socket.once('close', () => {
    stdout.end();
    stderr?.end();
    ended.resolve();
  });
  socket.on('error', () => undefined);
  const exitCode = ended.promise.then(async () => (await look()).ExitCode);
  // Nobody may be waiting for it.
  exitCode.catch(() => undefined);
  return {
    ...(stdin ? { stdin: inputOf(socket) } : {}),
    stdout,
    ...(stderr === undefined ? {} : { stderr }),
    exitCode,
    resize,
    kill: () =>
      void look()
        .then(({ Running, Pid }) => {
          if (Running && Pid) process.kill(Pid, 'SIGKILL');
        })
        .catch(() => undefined)
        .finally(() => socket.destroy()),
  };
}

/** Its end is the end of what is written, not of what is read. */
const inputOf = (socket: Socket) =>
  new Writable({
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, (error) => done(error ?? null)),
    final: (done) => void socket.end(() => done()),
  });

function upgrade(socketPath: string, path: string, body: object): Promise<Socket> {
  const bytes = Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath,
      path,
      method: 'POST',
      headers: {
        host: 'podman',
        connection: 'Upgrade',
        upgrade: 'tcp',
        'content-type': 'application/json',
        'content-length': bytes.length,
      },
    });
    outgoing.once('upgrade', (_answer, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket as Socket);
    });
    outgoing.once('response', (answer) => {
      answer.resume();
      reject(new CodedError('EXEC_FAILED', `Podman refuses to connect to the command: ${answer.statusCode}`));
    });
    outgoing.once('error', (error) =>
      reject(new CodedError('EXEC_FAILED', `Podman cannot be asked to run it: ${messageOf(error)}`)),
    );
    outgoing.end(bytes);
  });
}
