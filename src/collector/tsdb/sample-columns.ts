/** Columns to decode into; `words` are those of `v`. */
export interface SampleColumns {
  readonly t: Float64Array;
  readonly v: Float64Array;
  readonly words: Uint32Array;
}

export function createColumns(length: number): SampleColumns {
  const v = new Float64Array(length);
  return { t: new Float64Array(length), v, words: new Uint32Array(v.buffer) };
}
