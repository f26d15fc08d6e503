import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

const isInside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}${sep}`);

/** The real path of the longest part that is there, and the names that are not. */
function findDeepest(
  path: string,
  root: string,
): { readonly real: string; readonly missing: readonly string[] } {
  const parts = relative(root, path).split(sep).filter(Boolean);
  for (let kept = parts.length; ; kept -= 1) {
    try {
      return { real: realpathSync(join(root, ...parts.slice(0, kept))), missing: parts.slice(kept) };
    } catch (error) {
      if (kept === 0 || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/**
 * Where `path` really lies in the volume at `root`; folders that are not there are made where `create` says so, each by
 * the descriptor of the one it lies in, so that no link a container puts in its place is followed.
 *
 * `view`: how this process sees the pod's own file systems (`/proc/<pid>/root`), where the volume is one of them; in
 * such a volume no part may be a link.
 * @throws Error when it is not there, or leads out of the volume.
 * Source: kubernetes/pkg/volume/util/subpath/subpath_linux.go, doSafeMakeDir and doBindSubPath
 */
export function resolveSubPath(root: string, path: string, create: boolean, view = ''): string {
  const names = relative(root, join(root, path)).split(sep).filter(Boolean);
  if (names[0] === '..') throw new Error(`subPath "${path}" must not contain ..`);
  if (view !== '') {
    makeFolders(join(view, root), names);
    return join(root, ...names);
  }
  const volume = realpathSync(root);
  const { real, missing } = findDeepest(join(volume, ...names), volume);
  if (!isInside(real, volume)) throw new Error(`subPath "${path}" leads out of the volume`);
  if (missing.length > 0 && !create) throw new Error(`subPath "${path}" is not in the volume`);
  if (missing.length > 0) makeFolders(real, missing, real);
  return join(real, ...missing);
}

/** `expected`: where the first folder must still lie when it is open. New folders get the mode of that one. */
function makeFolders(first: string, names: readonly string[], expected?: string): void {
  let fd = openSync(first, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    if (expected !== undefined && readlinkSync(`/proc/self/fd/${fd}`) !== expected)
      throw new Error(`"${expected}" is not where it was`);
    const mode = fstatSync(fd).mode & 0o7777;
    for (const name of names) {
      const isNew = makeFolder(`/proc/self/fd/${fd}/${name}`);
      const inner = openSync(`/proc/self/fd/${fd}/${name}`, FOLDER);
      closeSync(fd);
      fd = inner;
      if (isNew) fchmodSync(fd, mode);
    }
  } finally {
    closeSync(fd);
  }
}

function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, 0o700);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}
