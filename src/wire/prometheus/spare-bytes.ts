/** Memory for one request after another: made anew each time it would cost page faults and collections of garbage. */
export interface SpareBytes {
  take(length: number): Uint8Array;
  /** Nobody reads these any more. */
  give(bytes: Uint8Array): void;
}

// Senders mostly send a few requests at a time.
const MOST_PIECES = 3;

/** Keeps a few pieces of at most `mostBytes` together; who comes while they are taken gets another. */
export function createSpareBytes(mostBytes: number): SpareBytes {
  const spare: ArrayBufferLike[] = [];
  let held = 0;
  return {
    take(length) {
      const at = spare.findIndex((piece) => piece.byteLength >= length);
      if (at < 0) return Buffer.allocUnsafeSlow(length);
      const [piece] = spare.splice(at, 1);
      held -= piece!.byteLength;
      return Buffer.from(piece!, 0, length);
    },
    give({ buffer }) {
      // A larger one serves more often.
      const smallest = spare.toSorted((a, b) => a.byteLength - b.byteLength)[0];
      if (spare.length === MOST_PIECES && smallest!.byteLength < buffer.byteLength) {
        spare.splice(spare.indexOf(smallest!), 1);
        held -= smallest!.byteLength;
      }
      if (spare.length === MOST_PIECES || held + buffer.byteLength > mostBytes) return;
      spare.push(buffer);
      held += buffer.byteLength;
    },
  };
}
