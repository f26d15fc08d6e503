import { isStaleAt } from '../../model/stale-marker.ts';
import { addSamples, createSummary, type RangeSummary } from '../storage/range-summary.ts';
import { decodeChunk } from './chunk.ts';
import { createColumns, type SampleColumns } from './sample-columns.ts';
import { INTEGER, type SealedChunk } from './sealed-chunk.ts';

let columns = createColumns(512);

/** The samples of a chunk without its stale markers, in columns that are valid until the next call. */
export function liveSamples(chunk: SealedChunk): SampleColumns & { readonly length: number } {
  if (columns.t.length < chunk.count) columns = createColumns(chunk.count * 2);
  decodeChunk(chunk, columns, 0);
  const { t, v, words } = columns;
  // Whole numbers only: nothing is NaN.
  if (chunk.encoding === INTEGER) return { t, v, words, length: chunk.count };
  let length = 0;
  for (let i = 0; i < chunk.count; i += 1) {
    if (Number.isNaN(v[i]!) && isStaleAt(words, i)) continue;
    if (length < i) {
      t[length] = t[i]!;
      words[length * 2] = words[i * 2]!;
      words[length * 2 + 1] = words[i * 2 + 1]!;
    }
    length += 1;
  }
  return { t, v, words, length };
}

/** Adds the chunk's samples to `summary`, all of which are earlier. */
export function addChunk(summary: RangeSummary, chunk: SealedChunk): void {
  const { t, v, length } = liveSamples(chunk);
  addSamples(summary, t, v, 0, length);
}

const known = new WeakMap<SealedChunk, RangeSummary>();

/** Of a chunk that is held in memory: worked out once. */
export function summaryOf(chunk: SealedChunk): RangeSummary {
  let summary = known.get(chunk);
  if (summary === undefined) {
    summary = createSummary();
    addChunk(summary, chunk);
    known.set(chunk, summary);
  }
  return summary;
}
