import type { DeviceName } from '../host/block-device.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import { createCadence, EVERYTHING, NOTHING_MORE } from './cadence.ts';
import { createCpuReader } from './cpu-reader.ts';
import type { Descriptors } from './descriptors.ts';
import { createDiskReader } from './disk-reader.ts';
import { createMemoryReader } from './memory-reader.ts';
import { present } from './numbers.ts';
import { createPressureReader } from './pressure-reader.ts';
import { createProcessReader } from './process-reader.ts';
import type { ContainerUsage } from './usage.ts';

export interface ContainerReader {
  /** `all`: the dear files too. */
  read(at: number, all: boolean): ContainerUsage;
  release(): void;
}

/**
 * Reads the cgroup of one life of a container. Most containers wait most of the time, and who did not run has neither
 * started processes, opened anything nor begun to wait: of a container that did not run since the last look, and of whose
 * tasks none waited, only CPU is read, and what others may change: the use of memory when the slow files are due, all
 * else with the rare ones.
 */
export function createContainerReader(
  descriptors: Descriptors,
  deviceName: DeviceName,
  cgroup: CgroupPaths,
  phase: number,
): ContainerReader {
  const cpu = createCpuReader(descriptors, cgroup);
  const memory = createMemoryReader(descriptors, cgroup);
  const disk = createDiskReader(descriptors, cgroup, deviceName);
  const processes = createProcessReader(descriptors, cgroup);
  const pressure = createPressureReader(descriptors, cgroup);
  const dueNow = createCadence(phase);
  let last: ContainerUsage | undefined;
  let ranSinceSlow = true;
  let ranSinceRare = true;
  let waits = true;

  return {
    read(at, all) {
      const next = dueNow(all);
      const ran = cpu.read(next);
      // Of a cgroup that is gone nothing that was read before holds any longer.
      const isGone = cpu.usage().cpu === undefined;
      const due = isGone ? EVERYTHING : next;
      ranSinceSlow ||= ran;
      ranSinceRare ||= ran || isGone;
      const ownDue = due.slow && !due.rare && !ranSinceSlow ? NOTHING_MORE : due;
      if (last !== undefined && !ran && !waits && !due.rare && !(due.slow && ranSinceSlow)) {
        // Others may take memory from who does not run.
        if (due.slow) memory.read(NOTHING_MORE);
        last = due.slow ? { ...last, ...memory.usage(), at } : { ...last, at };
        return last;
      }
      memory.read(ownDue);
      const stalls = pressure.read();
      waits = stalls !== last?.pressure;
      last = {
        at,
        ...cpu.usage(),
        ...memory.usage(),
        ...present('devices', due.slow ? disk.read() : last?.devices),
        ...processes.read(ownDue, all || ranSinceRare),
        ...present('pressure', stalls),
      };
      if (due.slow) ranSinceSlow = false;
      if (due.rare) ranSinceRare = false;
      return last;
    },
    release() {
      for (const reader of [cpu, memory, disk, processes, pressure]) reader.release();
    },
  };
}
