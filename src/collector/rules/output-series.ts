import { encodeLabels, type Labels, labelsKey } from '../../model/labels.ts';
import { othersFirst } from '../promql/evaluation/turn.ts';
import type { Appender, SeriesRef } from '../storage/storage.ts';

export interface OutputSample {
  readonly labels: Labels;
  readonly value: number;
}

/** The series one rule wrote last, so that those it no longer writes get a stale marker. */
export interface OutputSeries {
  /** Writes `samples` at `t` and marks what vanished. Remembered only once `remember` is called, after the commit. */
  write(appender: Appender, samples: readonly OutputSample[], t: number): Promise<{ remember(): void }>;
}

/** Results of a rule that are dealt with before others have the thread. */
export const SAMPLES_A_TURN = 500;

export function createOutputSeries(): OutputSeries {
  let written: ReadonlyMap<string, SeriesRef> = new Map();
  return {
    async write(appender, samples, t) {
      const now = new Map<string, SeriesRef>();
      for (const { labels, value } of samples) {
        const key = labelsKey(labels);
        const ref = written.get(key) ?? appender.reference(encodeLabels(labels));
        appender.append(ref, t, value);
        now.set(key, ref);
        if (now.size % SAMPLES_A_TURN === 0) await othersFirst();
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
