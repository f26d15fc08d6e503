import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { CodedError } from '../../util/coded-error.ts';

/** Opens TCP connections to the loopback of another network namespace. */
export interface NamespaceDialer {
  /** `pid`: any process inside; undefined: our own namespace. @throws CodedError `PORT_UNREACHABLE`. */
  dial(pid: number | undefined, port: number): Promise<Socket>;
  close(): void;
}

// Runs inside the namespace: opens a connection and hands it over. One helper serves all connections of a pod.
const HELPER = `
const { connect } = require('node:net');
process.on('message', ({ id, port }) => {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.once('error', (error) => process.send({ id, error: error.code ?? error.message }));
  socket.once('connect', () => {
    socket.removeAllListeners('error');
    socket.on('error', () => {});
    process.send({ id }, socket, () => {});
  });
});
process.on('disconnect', () => process.exit(0));
`;

interface Helper {
  readonly child: ChildProcess;
  readonly waiting: Map<number, (answer: { readonly error?: string }, socket: Socket | undefined) => void>;
  uses: number;
}

const unreachable = (port: number, why: string) =>
  new CodedError(
    'PORT_UNREACHABLE',
    `nothing answers on port ${port} of the pod (${why === 'ECONNREFUSED' ? 'connection refused' : why})`,
    { status: 502 },
  );

export function createNamespaceDialer(nsenter: string | undefined): NamespaceDialer {
  const helpers = new Map<number, Helper>();
  let ids = 0;

  const end = (pid: number) => {
    helpers.get(pid)?.child.kill('SIGKILL');
    helpers.delete(pid);
  };

  const helperIn = (pid: number): Helper => {
    const known = helpers.get(pid);
    if (known) return known;
    const child = spawn(nsenter!, [`--net=/proc/${pid}/ns/net`, '--', process.execPath, '-e', HELPER], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
    });
    const helper: Helper = { child, waiting: new Map(), uses: 0 };
    child.on('message', (message, handle) => {
      const { id, ...answer } = message as { id: number; error?: string };
      helper.waiting.get(id)?.(answer, handle as Socket | undefined);
      helper.waiting.delete(id);
    });
    const gone = () => {
      for (const answer of helper.waiting.values()) answer({ error: 'the pod is gone' }, undefined);
      helper.waiting.clear();
      if (helpers.get(pid) === helper) helpers.delete(pid);
    };
    child.once('exit', gone);
    child.once('error', gone);
    helpers.set(pid, helper);
    return helper;
  };

  return {
    dial(pid, port) {
      if (pid === undefined || nsenter === undefined) {
        return new Promise((resolve, reject) => {
          const socket = connect({ port, host: '127.0.0.1' });
          socket.once('error', (error: NodeJS.ErrnoException) =>
            reject(unreachable(port, error.code ?? error.message)),
          );
          socket.once('connect', () => resolve(socket));
        });
      }
      const helper = helperIn(pid);
      helper.uses += 1;
      const release = () => {
        helper.uses -= 1;
        if (helper.uses === 0 && helpers.get(pid) === helper) end(pid);
      };
      ids += 1;
      const id = ids;
      return new Promise((resolve, reject) => {
        helper.waiting.set(id, ({ error }, socket) => {
          if (socket === undefined) {
            release();
            return reject(unreachable(port, error ?? 'no connection'));
          }
          socket.once('close', release);
          resolve(socket);
        });
        helper.child.send({ id, port }, (error) => {
          if (error && helper.waiting.delete(id)) {
            release();
            reject(unreachable(port, error.message));
          }
        });
      });
    },
    close() {
      for (const pid of helpers.keys()) end(pid);
    },
  };
}
