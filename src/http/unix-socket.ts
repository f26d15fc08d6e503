import { chmodSync, lstatSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { CodedError } from '../util/coded-error.ts';

// sockaddr_un holds 108 bytes with the final NUL; macOS has 104.
const LONGEST_PATH_BYTES = 103;

/**
 * Makes the place for a unix socket: its folder exists with mode 0700, and no dead socket of an earlier process is in
 * the way.
 *
 * @throws HTTP_SOCKET_TAKEN when somebody answers on it; HTTP_SOCKET_PATH when the path is too long, is no socket, or
 * lies in a folder that others may enter.
 */
export async function prepareSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) {
    throw new CodedError(
      'HTTP_SOCKET_PATH',
      `the socket's path ${path} is longer than the ${LONGEST_PATH_BYTES} bytes the kernel takes; choose a shorter one`,
    );
  }
  prepareFolder(dirname(path));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new CodedError(
      'HTTP_SOCKET_PATH',
      `${path} exists and is no socket; move it away or choose another path`,
    );
  }
  if (await answers(path)) {
    throw new CodedError(
      'HTTP_SOCKET_TAKEN',
      `another process answers on ${path}; ask who with: ss -xlp src ${path}; stop it or choose another path`,
    );
  }
  unlinkSync(path);
}

/** Nobody but its owner may connect. The folder keeps others out already between `listen` and this. */
export function protectSocket(path: string): void {
  chmodSync(path, 0o600);
}

function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode } = statSync(folder);
  if ((mode & 0o077) === 0) return;
  throw new CodedError(
    'HTTP_SOCKET_PATH',
    `others may enter ${folder} (mode ${(mode & 0o777).toString(8)}), so a control socket there is not safe; give it a folder of its own, or: chmod 700 ${folder}`,
  );
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Anything but a refusal (a full backlog, no permission) means that somebody may be there.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
