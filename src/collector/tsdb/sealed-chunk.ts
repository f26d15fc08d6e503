/** How the samples of a chunk are written. The numbers are those on disk. */
export const XOR = 0;
export const INTEGER = 1;
export type ChunkEncoding = typeof XOR | typeof INTEGER;

/** A chunk that takes no more samples. `minT` and `maxT` are its first and last time. */
export interface SealedChunk {
  readonly encoding: ChunkEncoding;
  readonly minT: number;
  readonly maxT: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}
