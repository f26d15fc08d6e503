/** Memory for one request after another: made anew each time it would cost page faults and collections of garbage. */
export interface SpareBytes {
  take(length: number): Uint8Array;
  /** Nobody reads these any more. */
  give(bytes: Uint8Array): void;
}

/** Keeps one piece of at most `mostBytes`; who comes while it is taken gets another. */
export function createSpareBytes(mostBytes: number): SpareBytes {
  let spare: ArrayBufferLike | undefined;
  return {
    take(length) {
      const held = spare;
      if (held === undefined || held.byteLength < length) return Buffer.allocUnsafeSlow(length);
      spare = undefined;
      return Buffer.from(held, 0, length);
    },
    give({ buffer }) {
      if (buffer.byteLength <= mostBytes && buffer.byteLength > (spare?.byteLength ?? 0)) spare = buffer;
    },
  };
}
