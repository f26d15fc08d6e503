import { join } from 'node:path';
import { parsePressure } from '../host/pressure.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import type { Descriptors } from './descriptors.ts';
import { numberFile, present, scaled } from './numbers.ts';
import type { ContainerUsage } from './usage.ts';

const RESOURCES = ['cpu', 'memory', 'io'] as const;
type Pressure = NonNullable<ContainerUsage['pressure']>;

export interface PressureReader {
  read(): Pressure | undefined;
  release(): void;
}

/** Pressure stall information is a matter of the v2 hierarchy, also beside v1 controllers. */
export function createPressureReader(descriptors: Descriptors, { unified }: CgroupPaths): PressureReader {
  const files = RESOURCES.map((resource) =>
    numberFile(descriptors, unified && join(unified, `${resource}.pressure`), parsePressure, 2),
  );
  return {
    read() {
      const entries = RESOURCES.flatMap((resource, i) => {
        if (!files[i]!.refresh()) return [];
        const someSeconds = scaled(files[i]!.numbers[0], 1e-6);
        if (someSeconds === undefined) return [];
        return [
          [resource, { someSeconds, ...present('fullSeconds', scaled(files[i]!.numbers[1], 1e-6)) }] as const,
        ];
      });
      return entries.length === 0 ? undefined : Object.fromEntries(entries);
    },
    release() {
      for (const file of files) file.release();
    },
  };
}
