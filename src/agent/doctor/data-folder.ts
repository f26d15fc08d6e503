import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Finding, failure, ok, warning } from './finding.ts';

const LITTLE_BYTES = 2 ** 30;

/** The folder, or the nearest one above it that exists already. */
export function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

export function checkDataFolder(dataDir: string): readonly Finding[] {
  const folder = nearestFolder(dataDir);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return [
      failure(
        'data folder',
        `${dataDir} cannot be written${folder === dataDir ? '' : ` (${folder} is not ours)`}`,
        'choose another: --data-dir FOLDER',
      ),
    ];
  }
  const { bsize, bavail, blocks } = statfsSync(folder);
  const [freeBytes, allBytes] = [bavail * bsize, blocks * bsize];
  const found = `${dataDir}, ${gib(freeBytes)} GiB of ${gib(allBytes)} GiB free`;
  if (freeBytes >= LITTLE_BYTES) return [ok('data folder', found)];
  return [
    warning(
      'data folder',
      `${found}: below 1 GiB pods come under disk pressure`,
      'make room, or choose another: --data-dir FOLDER',
    ),
  ];
}

const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
