import { closeSync, constants, openSync, writeSync } from 'node:fs';

/**
 * Writes into a file the kernel offers (cgroupfs, procfs). Never creates it: a file the kernel does not have is an
 * ENOENT, not a new file. Write-only, as some of them are.
 */
export function writeControlFile(path: string, value: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}
