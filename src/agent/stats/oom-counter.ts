import { watch } from 'node:fs';
import { join } from 'node:path';
import { parseMemoryEvents, parseOomControl } from '../host/cgroup-statistics.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import type { Descriptors } from './descriptors.ts';
import { numberFile } from './numbers.ts';

/** The kernel's count of OOM kills in a cgroup. */
export interface OomCounter {
  /** Undefined where it cannot be read, also once the cgroup is gone. */
  read(): number | undefined;
  close(): void;
}

/**
 * v2 tells when the count changes (`onChange`); v1 has no notice that Node could take, so its file must be polled.
 */
export function createOomCounter(
  descriptors: Descriptors,
  { memory, unified }: CgroupPaths,
  onChange: () => void,
): OomCounter {
  const path = memory ? join(memory, 'memory.oom_control') : unified && join(unified, 'memory.events');
  const file = numberFile(descriptors, path, memory ? parseOomControl : parseMemoryEvents, 2);
  const stopWatching = !memory && path ? watchFile(path, onChange) : () => {};
  return {
    read() {
      file.refresh();
      return Number.isNaN(file.numbers[0]) ? undefined : file.numbers[0];
    },
    close() {
      stopWatching();
      file.release();
    },
  };
}

function watchFile(path: string, onChange: () => void): () => void {
  try {
    const watcher = watch(path, { persistent: false }, onChange);
    // Out of watches, or the cgroup is gone: the poll still sees the count.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
