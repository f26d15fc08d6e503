import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

// Counting is for finding who fills a disk, not for bookkeeping: a folder with more entries is at least this large.
const MOST_ENTRIES = 50_000;

/**
 * Bytes a folder takes on its own file system, as du(1) counts: allocated blocks, a file with several names once,
 * other mounts below it left out. Undefined when it cannot be read. Counts at most 50,000 entries.
 */
export function diskUsageBytes(folder: string): number | undefined {
  let device: number;
  let bytes = 0;
  try {
    const top = lstatSync(folder);
    device = top.dev;
    bytes += top.blocks * 512;
  } catch {
    return undefined;
  }
  const linked = new Set<number>();
  const folders = [folder];
  let entries = 0;
  for (let current = folders.pop(); current !== undefined; current = folders.pop()) {
    for (const entry of namesIn(current)) {
      entries += 1;
      if (entries > MOST_ENTRIES) return bytes;
      const path = join(current, entry);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined || stat.dev !== device) continue;
      if (stat.nlink > 1 && !stat.isDirectory()) {
        if (linked.has(stat.ino)) continue;
        linked.add(stat.ino);
      }
      bytes += stat.blocks * 512;
      if (stat.isDirectory()) folders.push(path);
    }
  }
  return bytes;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Removed meanwhile.
    return [];
  }
}
