import type { ParseNumbers } from '../host/flat-keyed.ts';
import type { Descriptors, KernelFile } from './descriptors.ts';

/** A kernel file with its parser and the numbers last read from it, NaN where it has none. */
export interface NumberFile {
  readonly numbers: Float64Array;
  /** Reads the file; false, and all numbers NaN, when it is gone. */
  refresh(): boolean;
  release(): void;
}

export function numberFile(
  descriptors: Descriptors,
  path: string | undefined,
  parse: ParseNumbers,
  count: number,
  whole = false,
): NumberFile {
  const numbers = new Float64Array(count).fill(Number.NaN);
  const file: KernelFile | undefined = path === undefined ? undefined : descriptors.file(path);
  return {
    numbers,
    refresh() {
      const length = file === undefined ? -1 : descriptors.read(file, whole);
      if (length < 0) numbers.fill(Number.NaN);
      else parse(descriptors.buffer, length, numbers);
      return length >= 0;
    },
    release() {
      if (file) descriptors.release(file);
    },
  };
}

/** A number that was read, scaled; undefined for NaN. */
export function scaled(value: number | undefined, factor = 1): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : value * factor;
}

/** `{ [key]: value }`, or nothing when the value is missing: what cannot be measured is absent. */
export function present<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}
