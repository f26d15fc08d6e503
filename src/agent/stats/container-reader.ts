import type { DeviceName } from '../host/block-device.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import { createCadence } from './cadence.ts';
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

/** Reads the cgroup of one life of a container. */
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
  let devices: ContainerUsage['devices'];
  return {
    read(at, all) {
      const due = dueNow(all);
      if (due.slow) devices = disk.read();
      return {
        at,
        ...cpu.read(due),
        ...memory.read(due),
        ...present('devices', devices),
        ...processes.read(due),
        ...present('pressure', pressure.read()),
      };
    },
    release() {
      for (const reader of [cpu, memory, disk, processes, pressure]) reader.release();
    },
  };
}
