import { join } from 'node:path';
import type { DeviceName } from '../host/block-device.ts';
import { type DeviceKey, parseBlkio, parseIoStat } from '../host/cgroup-statistics.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import type { Descriptors } from './descriptors.ts';
import type { ContainerUsage } from './usage.ts';

type Device = NonNullable<ContainerUsage['devices']>[number];

/** Bytes, then operations. */
const BLKIO_FILES = [
  'blkio.throttle.io_service_bytes_recursive',
  'blkio.throttle.io_serviced_recursive',
] as const;

export interface DiskReader {
  read(): readonly Device[] | undefined;
  release(): void;
}

/**
 * What a cgroup read from and wrote to each device. v1 counts only where a throttle rule is set for the device, and
 * v2 only what has happened: a device without a line has no numbers, and devices without a name are left out.
 */
export function createDiskReader(
  descriptors: Descriptors,
  { unified, blkio }: CgroupPaths,
  deviceName: DeviceName,
): DiskReader {
  const v1 = blkio !== undefined;
  const directory = blkio ?? unified;
  const names = directory === undefined ? [] : v1 ? [...BLKIO_FILES] : ['io.stat'];
  const files = names.map((name) => descriptors.file(join(directory!, name)));
  return {
    read() {
      const devices = new Map<string, Record<DeviceKey, number> & { device: string }>();
      const onDevice = (major: number, minor: number, key: DeviceKey, value: number) => {
        const device = deviceName(major, minor);
        if (device === undefined) return;
        const entry = devices.get(device) ?? { device, readBytes: 0, writeBytes: 0, reads: 0, writes: 0 };
        entry[key] = value;
        devices.set(device, entry);
      };
      for (const [i, file] of files.entries()) {
        const length = descriptors.read(file, true);
        if (length < 0) return undefined;
        if (v1) parseBlkio(descriptors.buffer, length, i === 0 ? 'bytes' : 'operations', onDevice);
        else parseIoStat(descriptors.buffer, length, onDevice);
      }
      return devices.size === 0 ? undefined : [...devices.values()];
    },
    release() {
      for (const file of files) descriptors.release(file);
    },
  };
}
