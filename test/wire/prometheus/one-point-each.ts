import { catalogue } from '../../../src/wire/catalogue/catalogue.ts';
import type { Point } from '../../../src/wire/catalogue/signal.ts';

/** A point of every signal there is, with hostile label values. */
export function onePointEach(): readonly Point[] {
  return catalogue.map((signal): Point => {
    const labels = signal.labels.map((label) => `${label.name} "quoted" \\ back\nline é 🙂`);
    if (signal.type !== 'histogram') return { signal, labels, value: 11.5 };
    const buckets = [...signal.bounds!, 0].map(() => 1);
    return { signal, labels, buckets, sum: 99.5, count: buckets.length };
  });
}
