/** SQLite's integers have 64 bits, but JavaScript's are exact to 2^53 only. */
export const toSafe = (t: number): number =>
  Math.min(Math.max(t, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
