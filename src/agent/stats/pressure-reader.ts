import { join } from 'node:path';
import { parsePressure } from '../host/pressure.ts';
import type { CgroupPaths } from '../pod/runtime/runtime.ts';
import type { Descriptors } from './descriptors.ts';
import { type NumberFile, numberFile, present, scaled } from './numbers.ts';
import type { ContainerUsage } from './usage.ts';

type Pressure = NonNullable<ContainerUsage['pressure']>;

export interface PressureReader {
  /** The same object as before while nothing has changed. */
  read(): Pressure | undefined;
  release(): void;
}

/** Pressure stall information is a matter of the v2 hierarchy, also beside v1 controllers. */
export function createPressureReader(descriptors: Descriptors, { unified }: CgroupPaths): PressureReader {
  const file = (resource: string) =>
    numberFile(descriptors, unified && join(unified, `${resource}.pressure`), parsePressure, 2);
  const [cpu, memory, io] = [file('cpu'), file('memory'), file('io')];
  const files = [cpu, memory, io];
  let last: Pressure | undefined;
  return {
    read() {
      let changed = false;
      for (const it of files) changed = it.refresh() || changed;
      if (changed) {
        const pressure = {
          ...present('cpu', stalled(cpu)),
          ...present('memory', stalled(memory)),
          ...present('io', stalled(io)),
        };
        last = Object.keys(pressure).length === 0 ? undefined : pressure;
      }
      return last;
    },
    release() {
      for (const it of files) it.release();
    },
  };
}

function stalled({ numbers }: NumberFile): Pressure['io'] {
  const someSeconds = scaled(numbers[0], 1e-6);
  return someSeconds === undefined
    ? undefined
    : { someSeconds, ...present('fullSeconds', scaled(numbers[1], 1e-6)) };
}
