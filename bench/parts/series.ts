import { type Labels, toLabels } from '../../src/model/labels.ts';

/** A series to load into every engine: integer milliseconds, ascending. */
export interface BenchSeries {
  readonly labels: Labels;
  readonly t: Float64Array;
  readonly v: Float64Array;
}

export interface Span {
  /** The first sample's time; a multiple of the step. */
  readonly startMs: number;
  readonly stepMs: number;
  readonly samples: number;
}

/** A whole number of steps up to now, so that no engine takes the data for old. */
export function spanUntil(nowMs: number, lengthMs: number, stepMs: number): Span {
  const endMs = Math.floor(nowMs / 60_000) * 60_000;
  const samples = Math.floor(lengthMs / stepMs);
  return { startMs: endMs - samples * stepMs, stepMs, samples };
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Each target is scraped at its own moment within the step. */
export function times({ startMs, stepMs, samples }: Span, next: () => number): Float64Array {
  const offset = Math.floor(next() * stepMs);
  return Float64Array.from({ length: samples }, (_, i) => startMs + i * stepMs + offset);
}

/** A counter of whole requests, restarted about once a day. */
export function counter(samples: number, perStep: number, next: () => number): Float64Array {
  const resetAt = next() < 0.3 ? Math.floor(next() * samples) : -1;
  let value = Math.floor(next() * 1e6);
  return Float64Array.from({ length: samples }, (_, i) => {
    value = i === resetAt ? 0 : value + Math.floor(next() * 2 * perStep);
    return value;
  });
}

/** `x_total{ns, pod}`: busy counters in twenty namespaces. */
export function busyCounters(span: Span, count: number): BenchSeries[] {
  return Array.from({ length: count }, (_, i) => {
    const next = random(i + 1);
    return {
      labels: toLabels({ __name__: 'x_total', ns: `ns-${i % 20}`, pod: `pod-${i}`, job: 'bench' }),
      t: times(span, next),
      v: counter(span.samples, 500, next),
    };
  });
}
