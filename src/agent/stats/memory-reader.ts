import { join } from 'node:path';
import {
  parseMemoryEvents,
  parseMemoryStatV1,
  parseMemoryStatV2,
  parseOomControl,
} from '../host/cgroup-statistics.ts';
import { singleNumber } from '../host/flat-keyed.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import type { Due } from './cadence.ts';
import type { Descriptors } from './descriptors.ts';
import { type NumberFile, numberFile, present, scaled } from './numbers.ts';
import type { ContainerUsage } from './usage.ts';

export interface MemoryReader {
  /** True when something is not what it was at the reading before. */
  read(due: Due): boolean;
  /** What was read last. */
  usage(): Pick<ContainerUsage, 'memory' | 'oomKills'>;
  release(): void;
}

interface Sources {
  readonly usage: NumberFile;
  readonly stat: NumberFile;
  readonly events: NumberFile;
  readonly maxUsage: NumberFile;
  readonly swap: NumberFile;
  readonly kernel: NumberFile;
  readonly failures: NumberFile;
}

// memory.stat is read early when usage has moved by more than a 16th: the working set is usage less inactive file
// cache, and a large file read changes both at once.
const MOVED_SHARE = 16;

/** Memory of a cgroup; undefined where neither hierarchy has the memory controller. */
export function createMemoryReader(descriptors: Descriptors, paths: CgroupPaths): MemoryReader {
  const v1 = paths.memory !== undefined;
  const directory = paths.memory ?? paths.unified;
  const number = (name: string) =>
    numberFile(descriptors, directory && join(directory, name), singleNumber, 1);
  const none = numberFile(descriptors, undefined, singleNumber, 1);
  const sources: Sources = {
    usage: number(v1 ? 'memory.usage_in_bytes' : 'memory.current'),
    stat: numberFile(
      descriptors,
      directory && join(directory, 'memory.stat'),
      v1 ? parseMemoryStatV1 : parseMemoryStatV2,
      7,
    ),
    events: numberFile(
      descriptors,
      directory && join(directory, v1 ? 'memory.oom_control' : 'memory.events'),
      v1 ? parseOomControl : parseMemoryEvents,
      2,
    ),
    maxUsage: number(v1 ? 'memory.max_usage_in_bytes' : 'memory.peak'),
    // v1 has swap and v2 has kernel memory in memory.stat.
    swap: v1 ? none : number('memory.swap.current'),
    kernel: v1 ? number('memory.kmem.usage_in_bytes') : none,
    failures: v1 ? number('memory.failcnt') : none,
  };
  const slow = [sources.events, sources.maxUsage, sources.swap, sources.kernel, sources.failures];
  let usageAtStat = 0;
  let last: Pick<ContainerUsage, 'memory' | 'oomKills'> = {};
  const current = () => {
    const memory = sources.usage.missing ? undefined : v1 ? memoryV1(sources) : memoryV2(sources);
    return { ...present('memory', memory), ...present('oomKills', scaled(sources.events.numbers[0])) };
  };
  return {
    read(due) {
      let changed = sources.usage.refresh();
      const usage = sources.usage.numbers[0]!;
      if (due.slow || Math.abs(usage - usageAtStat) > usageAtStat / MOVED_SHARE) {
        changed = sources.stat.refresh() || changed;
        usageAtStat = usage;
      }
      if (due.slow) for (const it of slow) changed = it.refresh() || changed;
      if (changed) last = current();
      return changed;
    },
    usage: () => last,
    release() {
      for (const it of Object.values(sources)) it.release();
    },
  };
}

function memoryV1(sources: Sources): NonNullable<ContainerUsage['memory']> {
  const [anonymous, file, mapped, inactive, swap, faults, majorFaults] = sources.stat.numbers;
  return {
    ...charged(sources, inactive),
    ...present('rssBytes', scaled(anonymous)),
    ...present('cacheBytes', scaled(file)),
    ...present('mappedFileBytes', scaled(mapped)),
    ...present('kernelBytes', scaled(sources.kernel.numbers[0])),
    ...present('swapBytes', scaled(swap)),
    ...present('failures', scaled(sources.failures.numbers[0])),
    ...present('pageFaults', scaled(faults)),
    ...present('majorPageFaults', scaled(majorFaults)),
  };
}

function memoryV2(sources: Sources): NonNullable<ContainerUsage['memory']> {
  const [anonymous, file, mapped, inactive, kernel, faults, majorFaults] = sources.stat.numbers;
  return {
    ...charged(sources, inactive),
    ...present('rssBytes', scaled(anonymous)),
    ...present('cacheBytes', scaled(file)),
    ...present('mappedFileBytes', scaled(mapped)),
    ...present('kernelBytes', scaled(kernel)),
    ...present('swapBytes', scaled(sources.swap.numbers[0])),
    ...present('failures', scaled(sources.events.numbers[1])),
    ...present('pageFaults', scaled(faults)),
    ...present('majorPageFaults', scaled(majorFaults)),
  };
}

function charged(sources: Sources, inactive: number | undefined) {
  const usageBytes = sources.usage.numbers[0]!;
  return {
    usageBytes,
    workingSetBytes: Math.max(0, usageBytes - (scaled(inactive) ?? 0)),
    ...present('maxUsageBytes', scaled(sources.maxUsage.numbers[0])),
  };
}
