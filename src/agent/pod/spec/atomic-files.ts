import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { VolumeFile } from './volume-files.ts';

const DATA = '..data';
const NEXT = '..data_tmp';

const topOf = (path: string) => path.split('/')[0]!;

/** With a group of its own a file is readable to it, and a folder hands the group down. */
const GROUP_READS = 0o440;
const GROUP_FOLDER = 0o2550;

function isSame(folder: string, files: readonly VolumeFile[], gid: number | undefined): boolean {
  try {
    const inside = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    if (inside.length !== files.length) return false;
    return files.every(({ path, content, mode }) => {
      const file = join(folder, path);
      const { mode: found } = statSync(file);
      const wanted = gid === undefined ? mode : mode | GROUP_READS;
      return (found & 0o777) === wanted && readFileSync(file).equals(content);
    });
  } catch {
    return false;
  }
}

function writeAll(folder: string, files: readonly VolumeFile[], gid: number | undefined): void {
  for (const { path, content, mode } of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    if (gid !== undefined) chownSync(file, -1, gid);
    chmodSync(file, gid === undefined ? mode : mode | GROUP_READS);
  }
  const folders = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  for (const path of [folder, ...folders.map((entry) => join(entry.parentPath, entry.name))]) {
    if (gid !== undefined) chownSync(path, -1, gid);
    chmodSync(path, gid === undefined ? 0o755 : 0o755 | GROUP_FOLDER);
  }
}

function currentOf(volume: string): string | undefined {
  try {
    return readlinkSync(join(volume, DATA));
  } catch {
    return undefined;
  }
}

/**
 * Makes `files` the content of a volume in one step: all lie in a folder of their own, `..data` leads to it, and each
 * name leads through `..data`; so a reader sees all the old files or all the new ones. Nothing is written when nothing
 * changed. Resolves with whether something was. Links out of an older volume, and what is in no file any more, go.
 *
 * Source: kubernetes/pkg/volume/util/atomic_writer.go
 */
export function writeAtomically(volume: string, files: readonly VolumeFile[], gid?: number): boolean {
  mkdirSync(volume, { recursive: true });
  const before = currentOf(volume);
  if (before !== undefined && isSame(join(volume, before), files, gid)) return false;
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '_');
  const folder = mkdtempSync(join(volume, `..${stamp}.`));
  writeAll(folder, files, gid);
  rmSync(join(volume, NEXT), { force: true });
  symlinkSync(folder.slice(volume.length + 1), join(volume, NEXT));
  renameSync(join(volume, NEXT), join(volume, DATA));
  const names = new Set(files.map(({ path }) => topOf(path)));
  for (const name of names) {
    const link = join(volume, name);
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(join(DATA, name), link);
  }
  for (const name of readdirSync(volume)) {
    const isOld = name.startsWith('..') ? name !== DATA && join(volume, name) !== folder : !names.has(name);
    if (isOld) rmSync(join(volume, name), { recursive: true, force: true });
  }
  return true;
}
