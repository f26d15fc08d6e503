import type { SeriesRef } from '../storage/storage.ts';
import type { SealedChunk } from './sealed-chunk.ts';

/**
 * Chunks as last read from disk, by series, so that a page that asks again each few seconds does not read again. Only
 * the newest stretch of a series is kept: from some time up to its last chunk on disk. Bounded; who was not asked for
 * longest goes first.
 */
export interface ChunkCache {
  /** All chunks on disk with samples at or after `minT`, if they are known. */
  get(ref: SeriesRef, minT: number): readonly SealedChunk[] | undefined;
  /** `chunks` are all that end at or after `minT`. */
  put(ref: SeriesRef, minT: number, chunks: readonly SealedChunk[]): void;
  /** The series has other chunks now. */
  forget(ref: SeriesRef): void;
  /** Chunks that ended before `cutoffT` are gone. */
  forgetBefore(cutoffT: number): void;
}

interface Entry {
  readonly minT: number;
  readonly chunks: readonly SealedChunk[];
  readonly bytes: number;
}

// An object and a view of bytes in V8, roughly.
const BYTES_A_CHUNK = 200;

export function createChunkCache(maxBytes: number): ChunkCache {
  const entries = new Map<SeriesRef, Entry>();
  let bytes = 0;
  const forget = (ref: SeriesRef) => {
    bytes -= entries.get(ref)?.bytes ?? 0;
    entries.delete(ref);
  };
  return {
    get(ref, minT) {
      const entry = entries.get(ref);
      if (entry === undefined || entry.minT > minT) return undefined;
      entries.delete(ref);
      entries.set(ref, entry);
      return entry.chunks;
    },
    put(ref, minT, chunks) {
      forget(ref);
      const size = chunks.reduce((sum, chunk) => sum + chunk.bytes.length + BYTES_A_CHUNK, BYTES_A_CHUNK);
      // One long answer must not drive out everything else.
      if (size > maxBytes / 100) return;
      entries.set(ref, { minT, chunks, bytes: size });
      bytes += size;
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break;
        forget(oldest);
      }
    },
    forget,
    forgetBefore(cutoffT) {
      for (const [ref, entry] of entries) if (entry.minT < cutoffT) forget(ref);
    },
  };
}
