import type { Logger } from 'pino';
import type { ShadowOptions } from './promql/shadow.ts';

/** How often answers from summaries were worked out again from every sample. */
export interface ShadowCounts {
  compared: number;
  disagreed: number;
}

// Of a window of 30 days a hundredth is still cheaper than to decode it each time.
const SHARE = 0.01;

/** Counts comparisons, and says one line for each expression that disagreed: the engine decodes it from then on. */
export function countShadows(
  random: () => number,
  logger: Pick<Logger, 'error'>,
): { readonly counts: ShadowCounts; readonly options: ShadowOptions } {
  const counts = { compared: 0, disagreed: 0 };
  return {
    counts,
    options: {
      share: SHARE,
      random,
      onCompared(text, agreed) {
        counts.compared += 1;
        if (agreed) return;
        counts.disagreed += 1;
        logger.error(
          { expr: text },
          'summaries of samples gave another answer than the samples: this expression is worked out from every ' +
            'sample until the next start; please report it',
        );
      },
    },
  };
}
