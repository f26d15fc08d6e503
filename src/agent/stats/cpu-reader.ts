import { join } from 'node:path';
import {
  CLOCK_TICKS_PER_SECOND,
  parseCfsQuota,
  parseCpuacctStat,
  parseCpuMax,
  parseCpuStatV1,
  parseCpuStatV2,
} from '../host/cgroup-statistics.ts';
import { singleNumber } from '../host/flat-keyed.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import type { Due } from './cadence.ts';
import type { Descriptors } from './descriptors.ts';
import { numberFile, present, scaled } from './numbers.ts';
import type { ContainerUsage } from './usage.ts';

export interface CpuReader {
  /** True when the cgroup's processes ran since the reading before, or their limits changed. */
  read(due: Due): boolean;
  /** What was read last. */
  usage(): Pick<ContainerUsage, 'cpu' | 'throttling'>;
  release(): void;
}

/**
 * CPU time and throttling of a cgroup. On hybrid hosts the v2 side's cpu.stat has usage with its split in one file;
 * throttling comes from where the limit is. Without a quota there is no throttling to speak of, so it is absent.
 */
export function createCpuReader(descriptors: Descriptors, { unified, cpu, cpuacct }: CgroupPaths): CpuReader {
  const file = (directory: string | undefined, name: string) => directory && join(directory, name);
  const statV2 = numberFile(descriptors, file(unified, 'cpu.stat'), parseCpuStatV2, 6);
  const usageV1 = numberFile(descriptors, file(cpuacct, 'cpuacct.usage'), singleNumber, 1);
  const splitV1 = numberFile(descriptors, file(cpuacct, 'cpuacct.stat'), parseCpuacctStat, 2);
  const statV1 = numberFile(descriptors, file(cpu, 'cpu.stat'), parseCpuStatV1, 3);
  const quota = cpu
    ? numberFile(descriptors, join(cpu, 'cpu.cfs_quota_us'), parseCfsQuota, 1)
    : numberFile(descriptors, file(unified, 'cpu.max'), parseCpuMax, 1);
  const all = [statV2, usageV1, splitV1, statV1, quota];
  let usage: Pick<ContainerUsage, 'cpu' | 'throttling'> = {};

  const readUsage = (): boolean => {
    const changed = statV2.refresh();
    if (!statV2.missing || !usageV1.refresh()) return changed;
    splitV1.refresh();
    return true;
  };
  const cpuUsage = (): ContainerUsage['cpu'] | undefined => {
    if (!statV2.missing) return split(statV2.numbers, 1e-6, 1e-6);
    const [user, system] = splitV1.numbers;
    return split([usageV1.numbers[0]!, user!, system!], 1e-9, 1 / CLOCK_TICKS_PER_SECOND);
  };
  const isLimited = () => !Number.isNaN(quota.numbers[0]);
  const throttling = (): ContainerUsage['throttling'] | undefined => {
    if (!isLimited()) return undefined;
    if (cpu) return statV1.missing ? undefined : throttled(statV1.numbers, 0, 1e-9);
    return throttled(statV2.numbers, 3, 1e-6);
  };
  return {
    read(due) {
      const limited = due.rare && quota.refresh();
      const ran = readUsage();
      const held = cpu !== undefined && isLimited() && statV1.refresh();
      const changed = limited || ran || held;
      if (changed) usage = { ...present('cpu', cpuUsage()), ...present('throttling', throttling()) };
      return changed;
    },
    usage: () => usage,
    release: () => {
      for (const it of all) it.release();
    },
  };
}

function split(
  numbers: ArrayLike<number>,
  usageUnit: number,
  splitUnit: number,
): ContainerUsage['cpu'] | undefined {
  const usageSeconds = scaled(numbers[0], usageUnit);
  if (usageSeconds === undefined) return undefined;
  return {
    usageSeconds,
    ...present('userSeconds', scaled(numbers[1], splitUnit)),
    ...present('systemSeconds', scaled(numbers[2], splitUnit)),
  };
}

function throttled(
  numbers: readonly number[],
  first: number,
  unit: number,
): ContainerUsage['throttling'] | undefined {
  const [periods, throttledPeriods, time] = numbers.slice(first, first + 3);
  return Number.isNaN(periods)
    ? undefined
    : { periods: periods!, throttledPeriods: throttledPeriods!, throttledSeconds: time! * unit };
}
