import type { Clock } from '../../util/clock.ts';
import { parseMeminfo, parseProcStat } from '../host/procfs-node.ts';
import type { Descriptors } from './descriptors.ts';
import { numberFile } from './numbers.ts';
import type { NodeUsage } from './usage.ts';

const KIBIBYTE = 1024;

/** Reads the whole machine; undefined where there is no procfs. */
export function createNodeReader(clock: Clock, descriptors: Descriptors): () => NodeUsage | undefined {
  const stat = descriptors.file('/proc/stat');
  const meminfo = numberFile(descriptors, '/proc/meminfo', parseMeminfo, 6);
  return () => {
    const length = descriptors.read(stat, true);
    if (length < 0) return undefined;
    const { secondsByMode, cores } = parseProcStat(descriptors.buffer.toString('latin1', 0, length));
    meminfo.refresh();
    if (meminfo.missing) return undefined;
    const [total, available, free, cached, buffers, slab] = meminfo.numbers;
    return {
      at: clock.now(),
      cpuSecondsByMode: secondsByMode,
      memory: {
        totalBytes: total! * KIBIBYTE,
        availableBytes: available! * KIBIBYTE,
        freeBytes: free! * KIBIBYTE,
        cachedBytes: cached! * KIBIBYTE,
        buffersBytes: buffers! * KIBIBYTE,
        slabBytes: slab! * KIBIBYTE,
      },
      cores,
    };
  };
}
