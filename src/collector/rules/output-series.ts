import { encodeLabels, type Labels, labelsKey } from '../../model/labels.ts';
import type { Appender, SeriesRef } from '../storage/storage.ts';

export interface OutputSample {
  readonly labels: Labels;
  readonly value: number;
}

/** The series one rule wrote last, so that those it no longer writes get a stale marker. */
export interface OutputSeries {
  /** Writes `samples` at `t` and marks what vanished. Remembered only once `remember` is called, after the commit. */
  write(appender: Appender, samples: readonly OutputSample[], t: number): { remember(): void };
}

export function createOutputSeries(): OutputSeries {
  let written: ReadonlyMap<string, SeriesRef> = new Map();
  return {
    write(appender, samples, t) {
      const now = new Map<string, SeriesRef>();
      for (const { labels, value } of samples) {
        const key = labelsKey(labels);
        const ref = written.get(key) ?? appender.reference(encodeLabels(labels));
        appender.append(ref, t, value);
        now.set(key, ref);
      }
      for (const [key, ref] of written) if (!now.has(key)) appender.appendStale(ref, t);
      return {
        remember() {
          written = now;
        },
      };
    },
  };
}
