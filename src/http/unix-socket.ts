import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { CodedError } from '../util/coded-error.ts';

// sockaddr_un holds 108 bytes with the final NUL; macOS has 104.
const LONGEST_PATH_BYTES = 103;

/** A socket on its way: bound where nobody else can reach it, then moved to its path with mode 0600. */
export interface SocketPlace {
  /** Where to listen. */
  readonly bindPath: string;
  /** After listening: from now on its owner can connect at the path. */
  publish(): void;
  /** Removes what is ours, also when `publish` was not reached. */
  remove(): void;
}

/**
 * Makes the place for a unix socket. Its folder is made with mode 0700 where it is missing; one that exists must let
 * nobody else put files in its place. A dead socket of an earlier process is replaced.
 *
 * @throws HTTP_SOCKET_TAKEN when somebody answers on it; HTTP_SOCKET_PATH when the path is too long, is no socket, or
 * lies in a folder that others may write.
 */
export async function prepareSocket(path: string): Promise<SocketPlace> {
  prepareFolder(dirname(path));
  await refuseTaken(path);
  // Between binding and changing the mode others could connect: that happens in a folder of our own.
  const folder = mkdtempSync(join(dirname(path), '.s'));
  const bindPath = join(folder, 's');
  let published: number | undefined;
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
    if (published !== undefined && lstatSync(path, { throwIfNoEntry: false })?.ino === published)
      rmSync(path);
  };
  try {
    for (const place of [path, bindPath]) refuseLong(place);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    bindPath,
    publish() {
      chmodSync(bindPath, 0o600);
      published = lstatSync(bindPath).ino;
      renameSync(bindPath, path);
      rmdirSync(folder);
    },
    remove,
  };
}

function refuseLong(path: string): void {
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return;
  throw new CodedError(
    'HTTP_SOCKET_PATH',
    `the socket's path ${path} is longer than the ${LONGEST_PATH_BYTES} bytes the kernel takes; choose a shorter one`,
  );
}

async function refuseTaken(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new CodedError(
      'HTTP_SOCKET_PATH',
      `${path} exists and is no socket; move it away or choose another path`,
    );
  }
  if (!(await answers(path))) return;
  throw new CodedError(
    'HTTP_SOCKET_TAKEN',
    `another process answers on ${path}; ask who with: ss -xlp | grep ${dirname(path)}; stop it or choose another path`,
  );
}

const OTHERS_MAY_WRITE = 0o022;
const STICKY = 0o1000;

function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode } = statSync(folder);
  // In a sticky folder such as /tmp nobody can move or remove what another owns.
  if ((mode & OTHERS_MAY_WRITE) === 0 || (mode & STICKY) !== 0) return;
  throw new CodedError(
    'HTTP_SOCKET_PATH',
    `others may write ${folder} (mode ${(mode & 0o777).toString(8)}), so a control socket there is not safe; give it a folder of its own, or: chmod go-w ${folder}`,
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
