import { readFileSync, statSync } from 'node:fs';
import { bindEntry, type TableEntry } from './start-script.ts';

/** File systems that hold programs and data, as against the kernel's own. */
const REAL =
  /^(ext[234]|xfs|btrfs|zfs|f2fs|bcachefs|nfs4?|9p|virtiofs|fuse\..*|vfat|squashfs|overlay|erofs)$/;
const KERNEL_FOLDERS = ['/proc', '/sys', '/dev', '/run'];
/** Where container engines mount the root of each of their containers: nothing of the host's own. */
const CONTAINER_ROOT = /\/(merged|rootfs)$/;

const unescapeMount = (path: string) =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/**
 * An overlay over / sees only the file system / itself: what else is mounted on the host (a /usr or /home of its own) is
 * bound into the container, read-only, outer ones first; but for the roots of other engines' containers. `except` are
 * folders containers must not see.
 */
export function submounts(mountinfo: string, except: readonly string[]): readonly string[] {
  const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
  const found = mountinfo.split('\n').flatMap((line) => {
    const [left, right] = line.split(' - ');
    const target = unescapeMount(left!.split(' ')[4] ?? '/');
    const type = right?.split(' ')[0] ?? '';
    const hidden = [...KERNEL_FOLDERS, ...except].some((folder) => within(target, folder));
    const foreign = type === 'overlay' && CONTAINER_ROOT.test(target);
    return target === '/' || hidden || foreign || !REAL.test(type) ? [] : [target];
  });
  return [...new Set(found)].sort((a, b) => a.length - b.length);
}

export function hostMountEntries(except: readonly string[] = []): readonly TableEntry[] {
  return submounts(readFileSync('/proc/self/mountinfo', 'utf8'), except).flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    return [bindEntry({ source: path, target: path, readOnly: true, file: !stat.isDirectory() })];
  });
}
