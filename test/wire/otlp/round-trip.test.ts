import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { labelsKey } from '../../../src/model/labels.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { catalogue } from '../../../src/wire/catalogue/catalogue.ts';
import { samplesOf, toSeriesLabels } from '../../../src/wire/catalogue/series.ts';
import type { Point } from '../../../src/wire/catalogue/signal.ts';
import { internalTransport } from '../../../src/wire/otlp/internal-transport.ts';
import { encodePoints } from '../../../src/wire/otlp/points-writer.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';
import { START } from '../../conformance/store.ts';

const FACTS = { node: 'node-11', instance: 'node-11:7639', version: '1.2.3' };

/** One point of every signal of the catalogue, with a value for every label; and one with empty labels. */
const points: readonly Point[] = catalogue.flatMap((signal, n): Point[] => {
  const full = signal.labels.map((label, i) => `${label.name}-${n}-${i}`);
  const sparse = signal.labels.map((label, i) => (i % 2 === 0 ? `${label.name}-${n}-sparse` : ''));
  return (full.length === 0 ? [full] : [full, sparse]).map((labels, i) => {
    if (signal.type !== 'histogram') return { signal, labels, value: n + 0.5 + i };
    const buckets = [...signal.bounds!.map((_, b) => b + i), 3];
    const count = buckets.reduce((sum, bucket) => sum + bucket, 0);
    return { signal, labels, buckets, sum: 12.5, count, startMs: START - 1 };
  });
});

describe('points sent by OTLP', () => {
  it('become the series that scraping gives, labels included, for every signal of the catalogue', async () => {
    const store = createMemoryStore({ clock: createFakeClock(START) });
    const transport = internalTransport(createOtlpReceiver({ store, clock: createFakeClock(START) }));
    const outcome = await transport.export('metrics', encodePoints(points, START, FACTS));
    expect(outcome).toEqual({ kind: 'accepted', rejected: 0, message: '' });

    const stored = new Map<string, number>();
    for (const series of store.querier().select([], START, START))
      stored.set(labelsKey(series.labels), series.samples(START, START).v[0]!);
    const scraped = new Map<string, number>();
    for (const point of points)
      for (const sample of samplesOf(point)) {
        const target = { job: point.signal.path, instance: FACTS.instance };
        const { value, ...part } = sample;
        scraped.set(labelsKey(toSeriesLabels(point.signal, point.labels, target, part)), value);
      }
    expect(stored).toEqual(scraped);
    expect(stored.size).toBeGreaterThan(200);
  });
});
