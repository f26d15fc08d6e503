import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket as DatagramSocket } from 'node:dgram';
import { closeSync, openSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { runCommand } from './command.ts';

/** Where to listen within another network namespace. */
export interface ListenPlace {
  readonly protocol: 'TCP' | 'UDP';
  readonly address: string;
  readonly port: number;
}

export type Listening =
  | {
      readonly protocol: 'TCP';
      readonly server: Server;
      /** Called with connections that came while the server was handed over. */
      onEarly(accept: (client: Socket) => void): void;
    }
  | { readonly protocol: 'UDP'; readonly socket: DatagramSocket };

/**
 * A network namespace in which nobody lives: sockets of this process may be in it. It lasts as long as this process and
 * the sockets do, whatever becomes of them.
 */
export interface NetworkNamespace {
  /** For tools that enter it: `/proc/<our pid>/fd/<number>`. */
  readonly path: string;
  close(): void;
}

/** A helper that hangs is ended, and its work has failed. */
const PATIENCE = { timeout: 30_000, killSignal: 'SIGKILL' } as const;

/** Makes one; `furnish` is given a process that is in it for so long. */
export async function openNetworkNamespace(
  tools: { readonly unshare: string; readonly sh: string },
  furnish: (pid: number) => Promise<void>,
): Promise<NetworkNamespace> {
  const child = spawn(tools.unshare, ['--net', '--', tools.sh, '-c', 'echo ready; read end'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {},
    ...PATIENCE,
  });
  child.stdin.on('error', () => undefined);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`unshare --net ended with ${code}`)));
      child.stdout.once('data', () => resolve());
    });
    const fd = openSync(`/proc/${child.pid}/ns/net`, 'r');
    try {
      await furnish(child.pid!);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return { path: `/proc/${process.pid}/fd/${fd}`, close: () => closeSync(fd) };
  } finally {
    child.stdin.end();
    child.kill('SIGKILL');
  }
}

// Runs inside, for a moment: opens sockets and hands them over. What was accepted meanwhile is handed over too.
const HELPER = `
const { createServer } = require('node:net');
const { createSocket } = require('node:dgram');
process.once('message', (places) => {
  let left = places.length;
  const sent = () => { left -= 1; if (left === 0) process.send({ done: true }, () => process.exit(0)); };
  places.forEach(({ protocol, address, port }, index) => {
    const failed = (error) => process.send({ index, error: error.code ?? error.message }, sent);
    if (protocol === 'UDP') {
      const socket = createSocket('udp4');
      socket.once('error', failed);
      socket.bind(port, address, () => process.send({ index }, socket, sent));
      return;
    }
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.on('connection', (client) => process.send({ index, early: true }, client, () => {}));
    server.once('error', failed);
    server.listen({ port, host: address }, () => process.send({ index }, server, sent));
  });
});
`;

/** Opens sockets inside a namespace, in this order. @throws CodedError `LISTEN_FAILED`; then none is open. */
export async function listenInNamespace(
  nsenter: string,
  namespace: NetworkNamespace,
  places: readonly ListenPlace[],
): Promise<readonly Listening[]> {
  if (places.length === 0) return [];
  const child = spawn(nsenter, [`--net=${namespace.path}`, '--', process.execPath, '-e', HELPER], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
    ...PATIENCE,
  });
  const found = await handedOver(child, places);
  const failed = found.find((one) => 'error' in one);
  if (failed === undefined) return found as readonly Listening[];
  for (const one of found) {
    if ('error' in one) continue;
    if (one.protocol === 'TCP') one.server.close();
    else one.socket.close();
  }
  throw new CodedError('LISTEN_FAILED', failed.error);
}

type Handed = Listening | { readonly error: string };
type Message = {
  readonly index: number;
  readonly error?: string;
  readonly early?: boolean;
  readonly done?: boolean;
};

function handedOver(child: ChildProcess, places: readonly ListenPlace[]): Promise<readonly Handed[]> {
  const found: Handed[] = [];
  const early = new Map<number, (client: Socket) => void>();
  const waiting = new Map<number, Socket[]>();
  return new Promise((resolve, reject) => {
    child.on('message', (message, handle) => {
      const { index, error, early: isEarly, done } = message as Message;
      if (done) return resolve(places.map((_, at) => found[at] ?? { error: 'nothing was handed over' }));
      const { protocol, address, port } = places[index]!;
      if (error !== undefined || handle === undefined) {
        found[index] = { error: `${address}:${port}/${protocol}: ${error ?? 'nothing was handed over'}` };
      } else if (isEarly) {
        const accept = early.get(index);
        if (accept) accept(handle as Socket);
        else waiting.set(index, [...(waiting.get(index) ?? []), handle as Socket]);
      } else if (protocol === 'UDP') {
        found[index] = { protocol, socket: handle as DatagramSocket };
      } else {
        found[index] = {
          protocol,
          server: handle as Server,
          onEarly(accept) {
            early.set(index, accept);
            for (const client of waiting.get(index) ?? []) accept(client);
            waiting.delete(index);
          },
        };
      }
    });
    child.once('error', (cause) => reject(new CodedError('LISTEN_FAILED', messageOf(cause), { cause })));
    // Not its exit: that may be known before its last words are.
    child.once('disconnect', () =>
      setImmediate(() => reject(new CodedError('LISTEN_FAILED', 'the helper that listens ended too soon'))),
    );
    child.send([...places], (error) => {
      if (error) reject(new CodedError('LISTEN_FAILED', messageOf(error), { cause: error }));
    });
  });
}

/** Runs a batch of `ip` in it. */
export async function changeNamespace(
  tools: { readonly ip: string; readonly nsenter: string },
  namespace: NetworkNamespace,
  batch: string,
): Promise<void> {
  if (batch === '') return;
  const enter = [`--net=${namespace.path}`, '--', tools.ip, '-batch', '-'];
  await runCommand(tools.nsenter, enter, batch);
}
