import { readFileSync, statfsSync } from 'node:fs';
import type { NodeSignals } from '../pod/node/pressure.ts';
import type { NodeUsage } from './usage.ts';

/**
 * What the node has left of what it evicts by. Memory as MemAvailable; the file system of the data directory, with
 * what is reserved for root counted as used; process ids against the machine's limit, threads included.
 * Sources: statfs(2), proc(5), kubernetes/pkg/kubelet/eviction/helpers.go, makeSignalObservations
 */
export function readNodeSignals(dataDir: string, usage: NodeUsage | undefined): NodeSignals {
  return {
    ...(usage && {
      'memory.available': { available: usage.memory.availableBytes, capacity: usage.memory.totalBytes },
    }),
    ...diskSignals(dataDir),
    ...pidSignal(),
  };
}

function diskSignals(dataDir: string): NodeSignals {
  try {
    const { bsize, bavail, blocks, ffree, files } = statfsSync(dataDir);
    return {
      'nodefs.available': { available: bavail * bsize, capacity: blocks * bsize },
      // Some file systems make inodes as they go, and say 0.
      ...(files > 0 && { 'nodefs.inodesFree': { available: ffree, capacity: files } }),
    };
  } catch {
    return {};
  }
}

function pidSignal(): NodeSignals {
  try {
    const capacity = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
    const threads = Number(/ \d+\/(\d+) /.exec(readFileSync('/proc/loadavg', 'utf8'))?.[1]);
    if (!(capacity > 0 && threads > 0)) return {};
    return { 'pid.available': { available: Math.max(0, capacity - threads), capacity } };
  } catch {
    return {};
  }
}
