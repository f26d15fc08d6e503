import type { VitalFrame } from '../../model/life.ts';
import type { ContainerUsage } from '../stats/usage.ts';

/** A frame as it is kept; undefined: absent. */
export type FrameNumbers = { readonly [Name in keyof VitalFrame]-?: number | undefined };

/**
 * A reading as a frame. Rates need the reading before; a counter that fell (another cgroup of the same name) gives
 * none. What was not read is absent. Ratios are 0 to 1.
 */
export function toFrame(usage: ContainerUsage, before: ContainerUsage | undefined): FrameNumbers {
  const seconds = before === undefined ? 0 : (usage.at - before.at) / 1000;
  const rate = (now: number | undefined, then: number | undefined): number | undefined =>
    seconds <= 0 || now === undefined || then === undefined || now < then
      ? undefined
      : (now - then) / seconds;
  const stall = (kind: 'cpu' | 'memory' | 'io') =>
    atMostOne(rate(usage.pressure?.[kind]?.someSeconds, before?.pressure?.[kind]?.someSeconds));
  return {
    at: usage.at,
    cpuCores: rate(usage.cpu?.usageSeconds, before?.cpu?.usageSeconds),
    throttledRatio: throttledRatio(usage, before),
    memoryWorkingSetBytes: usage.memory?.workingSetBytes,
    memoryRssBytes: usage.memory?.rssBytes,
    processes: usage.processes,
    openDescriptors: usage.openDescriptors,
    descriptorLimit: usage.descriptorLimit,
    ioStallRatio: stall('io'),
    memoryStallRatio: stall('memory'),
    cpuStallRatio: stall('cpu'),
  };
}

/** Share of the CPU periods since the reading before in which it was throttled. */
function throttledRatio(usage: ContainerUsage, before: ContainerUsage | undefined): number | undefined {
  if (!usage.throttling || !before?.throttling) return undefined;
  const periods = usage.throttling.periods - before.throttling.periods;
  if (periods < 0) return undefined;
  if (periods === 0) return 0;
  return atMostOne((usage.throttling.throttledPeriods - before.throttling.throttledPeriods) / periods);
}

const atMostOne = (ratio: number | undefined) => (ratio === undefined ? undefined : Math.min(1, ratio));
