import type { ServerResponse } from 'node:http';

/** Copies a piece of an answer into memory that lasts until it is sent. */
export type CopyPiece = (bytes: Uint8Array) => Buffer;

const PIECE_BYTES = 96 * 1024;
const MOST_KEPT = 96;
// Less comes cheap, from Node's own pool or as garbage.
const LEAST_BYTES = 4 * 1024;

/**
 * Memory for the pieces of long answers, used again once they are sent: made anew each time, a few answers would make V8 look
 * through all of its memory. Bounded.
 */
const kept: Buffer[] = [];

/** For the pieces of one answer. Those of an answer that never ends, as its client went, are left to the garbage collector. */
export function copyPiecesFor(response: ServerResponse): CopyPiece {
  const used: Buffer[] = [];
  return (bytes) => {
    // Of a very long answer the rest is garbage, and no more of it than there is text.
    if (bytes.length < LEAST_BYTES || bytes.length > PIECE_BYTES || used.length >= MOST_KEPT)
      return Buffer.from(bytes);
    // `finish` says that all of it was handed to the system.
    if (used.length === 0) {
      response.once('finish', () => {
        kept.push(...used.slice(0, MOST_KEPT - kept.length));
        used.length = 0;
      });
    }
    const buffer = kept.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
    used.push(buffer);
    buffer.set(bytes);
    return buffer.subarray(0, bytes.length);
  };
}
