const SPACE = 0x20;
const NEWLINE = 0x0a;
const COLON = 0x3a;
const ZERO = 0x30;

/** Parses the first `length` bytes of `bytes` into `out`, one entry a key; what the file does not have is NaN. */
export type ParseNumbers = (bytes: Uint8Array, length: number, out: Float64Array) => void;

/** The decimal number at `at`; NaN where there is no digit (`max`). Exact up to 2^53. */
export function numberAt(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  let i = at;
  for (; i < length; i += 1) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return i === at ? Number.NaN : value;
}

/** FNV-1a, one byte at a time. */
export const HASH_START = 0x811c9dc5;
export const hashNext = (hash: number, byte: number) => Math.imul(hash ^ byte, 0x01000193);

export function hashOf(text: string): number {
  let hash = HASH_START;
  for (let i = 0; i < text.length; i += 1) hash = hashNext(hash, text.charCodeAt(i));
  return hash;
}

/**
 * A parser of "flat keyed" kernel files, `KEY VALUE` a line (cpu.stat, memory.stat, memory.events), with or without a
 * colon (/proc/meminfo), in one pass and without making strings. Source: Documentation/admin-guide/cgroup-v2.rst
 */
export function flatKeyed(keys: readonly string[]): ParseNumbers {
  const indexByHash = new Map(keys.map((key, index) => [hashOf(key), index]));
  if (indexByHash.size !== keys.length) throw new Error(`keys that hash alike or are given twice: ${keys}`);
  return (bytes, length, out) => {
    out.fill(Number.NaN, 0, keys.length);
    let at = 0;
    while (at < length) {
      let hash = HASH_START;
      let byte = bytes[at]!;
      while (at < length && byte !== SPACE && byte !== COLON && byte !== NEWLINE) {
        hash = hashNext(hash, byte);
        at += 1;
        byte = bytes[at]!;
      }
      const index = indexByHash.get(hash);
      if (index !== undefined) {
        while (at < length && (bytes[at] === SPACE || bytes[at] === COLON)) at += 1;
        out[index] = numberAt(bytes, at, length);
      }
      while (at < length && bytes[at] !== NEWLINE) at += 1;
      at += 1;
    }
  };
}

/** A parser of files that hold one number, or a word (`max`) that stands for none. */
export const singleNumber: ParseNumbers = (bytes, length, out) => {
  out[0] = numberAt(bytes, 0, length);
};
