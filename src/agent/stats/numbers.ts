import type { ParseNumbers } from '../host/flat-keyed.ts';
import type { Descriptors, KernelFile } from './descriptors.ts';

/** A kernel file with its parser and the numbers last read from it, NaN where it has none. */
export interface NumberFile {
  /** Of lists, as many as there are, but at least one. */
  readonly numbers: readonly number[];
  /** Not there (any more), or not readable; also before the first reading. */
  readonly missing: boolean;
  /** Reads the file; true when a number is not what it was. All numbers are NaN when it is gone. */
  refresh(): boolean;
  release(): void;
}

/** Beyond these only those that are there are kept. */
const FEW = 16;
const scratches = new Map<number, Float64Array>();

/** At most `count` numbers of a file; without a path, of none. */
export function numberFile(
  descriptors: Descriptors,
  path: string | undefined,
  parse: ParseNumbers,
  count: number,
  whole = false,
): NumberFile {
  return path === undefined ? NO_FILE : new KernelNumbers(descriptors, path, parse, count, whole);
}

const NO_FILE: NumberFile = {
  numbers: Object.freeze(new Array<number>(FEW).fill(Number.NaN)),
  missing: true,
  refresh: () => false,
  release() {},
};

// There are some thirty for each container: a class has no closures for each, and a list of numbers is a third of a typed
// array.
class KernelNumbers implements NumberFile {
  readonly numbers: number[];
  missing = true;
  readonly #descriptors: Descriptors;
  readonly #file: KernelFile;
  readonly #parse: ParseNumbers;
  readonly #count: number;
  readonly #whole: boolean;

  constructor(descriptors: Descriptors, path: string, parse: ParseNumbers, count: number, whole: boolean) {
    this.numbers = new Array<number>(count <= FEW ? count : 1).fill(Number.NaN);
    this.#descriptors = descriptors;
    this.#file = descriptors.file(path);
    this.#parse = parse;
    this.#count = count;
    this.#whole = whole;
  }

  refresh(): boolean {
    if (this.missing && this.#file.gone) return false;
    const read = scratchOf(this.#count);
    const length = this.#descriptors.read(this.#file, this.#whole);
    this.missing = length < 0;
    if (length >= 0) this.#parse(this.#descriptors.buffer, length, read);
    return takeOver(this.numbers, read);
  }

  release(): void {
    this.#descriptors.release(this.#file);
  }
}

function scratchOf(count: number): Float64Array {
  const scratch = scratches.get(count) ?? new Float64Array(count);
  scratches.set(count, scratch);
  return scratch.fill(Number.NaN);
}

function takeOver(numbers: number[], read: Float64Array): boolean {
  let length = read.length;
  if (length > FEW) while (length > 1 && Number.isNaN(read[length - 1])) length -= 1;
  let changed = numbers.length !== length;
  numbers.length = length;
  for (let i = 0; i < length; i += 1) {
    if (Object.is(numbers[i], read[i])) continue;
    numbers[i] = read[i]!;
    changed = true;
  }
  return changed;
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
