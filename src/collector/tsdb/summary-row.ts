import { createSummary, type RangeSummary } from '../storage/range-summary.ts';

/**
 * The bytes of a summary on disk: fourteen little-endian 64-bit floats, the last one flags. Of the values before the
 * resets only the sum is kept.
 */
const FIELDS = 14;
const WHOLE = 1;
const FINITE = 2;

export function encodeSummary(summary: RangeSummary): Uint8Array {
  const bytes = new Uint8Array(FIELDS * 8);
  const view = new DataView(bytes.buffer);
  const flags = (summary.whole ? WHOLE : 0) | (summary.finite ? FINITE : 0);
  const { count, firstT, firstV, lastT, lastV, sum, c, magnitude, min, max, changes, resets, resetSum } =
    summary;
  const fields = [
    count,
    firstT,
    firstV,
    lastT,
    lastV,
    sum,
    c,
    magnitude,
    min,
    max,
    changes,
    resets,
    resetSum,
    flags,
  ];
  for (let i = 0; i < FIELDS; i += 1) view.setFloat64(i * 8, fields[i]!, true);
  return bytes;
}

export function decodeSummary(bytes: Uint8Array): RangeSummary {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (i: number) => view.getFloat64(i * 8, true);
  const summary = createSummary();
  summary.count = field(0);
  summary.firstT = field(1);
  summary.firstV = field(2);
  summary.lastT = field(3);
  summary.lastV = field(4);
  summary.sum = field(5);
  summary.c = field(6);
  summary.magnitude = field(7);
  summary.min = field(8);
  summary.max = field(9);
  summary.changes = field(10);
  summary.resets = field(11);
  summary.resetSum = field(12);
  summary.whole = (field(13) & WHOLE) !== 0;
  summary.finite = (field(13) & FINITE) !== 0;
  if (summary.resets === 1) summary.befores.push(summary.resetSum);
  else summary.combined = summary.resets > 1;
  return summary;
}
