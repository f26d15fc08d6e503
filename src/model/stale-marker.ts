/**
 * The stale marker says "this series ended here". Its bits are Prometheus' StaleNaN, 0x7ff0000000000002. It is a
 * signalling NaN, which V8 may quieten to 0x7ff8000000000002 when it passes through a number, so both spellings
 * count, and it is written through integer views only.
 * Source: prometheus/model/value/value.go
 */
const STALE_LOW = 0x00000002;
const STALE_HIGH = 0x7ff00000;
const STALE_HIGH_QUIET = 0x7ff80000;

/** A view of `values` in 32-bit words, to test and to set stale markers with. Little-endian machines only. */
export function wordsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

export function isStaleAt(words: Uint32Array, index: number): boolean {
  const high = words[index * 2 + 1];
  return words[index * 2] === STALE_LOW && (high === STALE_HIGH || high === STALE_HIGH_QUIET);
}

export function setStaleAt(words: Uint32Array, index: number): void {
  words[index * 2] = STALE_LOW;
  words[index * 2 + 1] = STALE_HIGH;
}
