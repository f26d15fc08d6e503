import type { ParseNumbers } from '../host/flat-keyed.ts';
import type { Descriptors, KernelFile } from './descriptors.ts';

/** A kernel file with its parser and the numbers last read from it, NaN where it has none. */
export interface NumberFile {
  readonly numbers: Float64Array;
  /** Not there (any more), or not readable; also before the first reading. */
  readonly missing: boolean;
  /** Reads the file; true when a number is not what it was. All numbers are NaN when it is gone. */
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
  let numbers = new Float64Array(count).fill(Number.NaN);
  let before = new Float64Array(count).fill(Number.NaN);
  let missing = true;
  const file: KernelFile | undefined = path === undefined ? undefined : descriptors.file(path);
  return {
    get numbers() {
      return numbers;
    },
    get missing() {
      return missing;
    },
    refresh() {
      if (file === undefined || (missing && file.gone)) return false;
      const length = descriptors.read(file, whole);
      [numbers, before] = [before, numbers];
      missing = length < 0;
      if (missing) numbers.fill(Number.NaN);
      else parse(descriptors.buffer, length, numbers);
      return differ(numbers, before);
    },
    release() {
      if (file) descriptors.release(file);
    },
  };
}

function differ(some: Float64Array, others: Float64Array): boolean {
  for (let i = 0; i < some.length; i += 1) if (!Object.is(some[i], others[i])) return true;
  return false;
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
