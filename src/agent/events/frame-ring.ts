import type { VitalFrame } from '../../model/life.ts';
import type { FrameNumbers } from './vital-frame.ts';

/** Two minutes at one frame a second. */
export const FRAMES = 120;

const FIELDS = [
  'at',
  'cpuCores',
  'throttledRatio',
  'memoryWorkingSetBytes',
  'memoryRssBytes',
  'processes',
  'openDescriptors',
  'descriptorLimit',
  'ioStallRatio',
  'memoryStallRatio',
  'cpuStallRatio',
] as const satisfies readonly (keyof VitalFrame)[];

export interface FrameRing {
  push(frame: FrameNumbers): void;
  /** Oldest first. */
  read(): readonly VitalFrame[];
  /**
   * The mean of one field over the last `frames` that have it, each weighed by another field; undefined: none weighs
   * anything. Unpacks nothing.
   */
  mean(field: keyof VitalFrame, weight: keyof VitalFrame, frames: number): number | undefined;
}

/** The last FRAMES frames in one array of numbers; a field that is absent is NaN. */
export function createFrameRing(): FrameRing {
  const values = new Float64Array(FRAMES * FIELDS.length);
  let pushed = 0;
  const frameAt = (slot: number): VitalFrame => {
    const row = values.subarray(slot * FIELDS.length, (slot + 1) * FIELDS.length);
    const entries = FIELDS.map((field, index) => [field, row[index]!] as const);
    return Object.fromEntries(entries.filter(([, value]) => !Number.isNaN(value))) as unknown as VitalFrame;
  };
  return {
    mean(field, weight, frames) {
      const valueAt = FIELDS.indexOf(field);
      const weightAt = FIELDS.indexOf(weight);
      let sum = 0;
      let weights = 0;
      for (let back = 1; back <= Math.min(frames, pushed, FRAMES); back += 1) {
        const row = ((pushed - back) % FRAMES) * FIELDS.length;
        const value = values[row + valueAt]!;
        const weighs = values[row + weightAt]!;
        if (Number.isNaN(value) || Number.isNaN(weighs)) continue;
        sum += value * weighs;
        weights += weighs;
      }
      return weights === 0 ? undefined : sum / weights;
    },
    push(frame) {
      const offset = (pushed % FRAMES) * FIELDS.length;
      for (let index = 0; index < FIELDS.length; index += 1)
        values[offset + index] = frame[FIELDS[index]!] ?? Number.NaN;
      pushed += 1;
    },
    read() {
      const length = Math.min(pushed, FRAMES);
      return Array.from({ length }, (_, index) => frameAt((pushed - length + index) % FRAMES));
    },
  };
}
