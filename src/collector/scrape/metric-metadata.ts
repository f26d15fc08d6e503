import type { ExposedType } from '../../wire/prometheus/exposition-reader.ts';

/** What a target says of a metric. */
export interface MetricMetadata {
  readonly metric: string;
  readonly type: ExposedType;
  readonly help: string;
  readonly unit: string;
}

/** The newest metadata of a target's metrics. Bounded: metrics beyond the limit have none. */
export interface MetadataCache {
  set(metric: string, what: Partial<Omit<MetricMetadata, 'metric'>>): void;
  all(): Iterable<MetricMetadata>;
  get(metric: string): MetricMetadata | undefined;
  /** Ends a scrape that succeeded: what was not exposed for ten is forgotten. */
  done(): void;
}

const KEPT_SCRAPES = 10;
const MOST_METRICS = 20_000;
const LONGEST_HELP = 1024;

export function createMetadataCache(): MetadataCache {
  const entries = new Map<string, { readonly metadata: MetricMetadata; seenIn: number }>();
  let scrape = 1;
  return {
    set(metric, what) {
      const before = entries.get(metric);
      if (before === undefined && entries.size >= MOST_METRICS) return;
      const known = before?.metadata ?? { metric: flat(metric), type: 'unknown', help: '', unit: '' };
      const { type = known.type, unit = known.unit } = what;
      const help = what.help === undefined ? known.help : what.help.slice(0, LONGEST_HELP);
      const isSame = type === known.type && unit === known.unit && help === known.help;
      if (before !== undefined && isSame) before.seenIn = scrape;
      else
        entries.set(known.metric, {
          metadata: { metric: known.metric, type, unit, help: flat(help) },
          seenIn: scrape,
        });
    },
    *all() {
      for (const { metadata } of entries.values()) yield metadata;
    },
    get: (metric) => entries.get(metric)?.metadata,
    done() {
      scrape += 1;
      for (const [metric, entry] of entries) if (scrape - entry.seenIn > KEPT_SCRAPES) entries.delete(metric);
    },
  };
}

/** Not a slice, which would keep the whole body it was cut from. */
const flat = (text: string) => Buffer.from(text, 'utf8').toString('utf8');
