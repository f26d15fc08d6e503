import { inspect } from 'node:util';
import { isCodedError } from '../../../src/util/coded-error.ts';
import { createRandom, type Random } from '../random.ts';

export type Input = string | Uint8Array;

/** Something that reads what others write. */
export interface Target {
  readonly name: string;
  /** How many of a thousand inputs it gets. */
  readonly share: number;
  input(random: Random): Input;
  /** Throws or rejects with anything but a CodedError when it is not as it should be. */
  check(input: Input): unknown;
}

/** Input `index` of a target: the seed and the index repeat it. */
export function inputOf(target: Target, seed: number, index: number): Input {
  let hash = seed ^ Math.imul(index + 1, 0x9e3779b1);
  for (const char of target.name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return target.input(createRandom(hash >>> 0));
}

/** What is wrong; undefined when the input was read, or refused in words. */
export async function failureOf(target: Target, input: Input): Promise<string | undefined> {
  try {
    await target.check(input);
    return undefined;
  } catch (error) {
    if (isCodedError(error)) return undefined;
    return inspect(error);
  }
}

/** A smaller input that fails too: pieces are left out, large ones first, while it does. At most so many tries. */
export async function shrunk(target: Target, input: Input, tries = 2000): Promise<Input> {
  let smallest = input;
  let left = tries;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length && left > 0; left -= 1) {
      const candidate = without(smallest, at, size);
      if ((await failureOf(target, candidate)) === undefined) at += size;
      else smallest = candidate;
    }
  }
  return smallest;
}

function without(input: Input, at: number, size: number): Input {
  if (typeof input === 'string') return input.slice(0, at) + input.slice(at + size);
  return Uint8Array.from([...input.subarray(0, at), ...input.subarray(at + size)]);
}
