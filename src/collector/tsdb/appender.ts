import { isStaleAt, setStaleAt } from '../../model/stale-marker.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { Appender, Committed } from '../storage/storage.ts';
import type { Head } from './head.ts';
import { pushSample, type SampleBatch, type SpareBatches } from './sample-batch.ts';

// Bounds one transaction; senders split their requests long before.
const MAX_BATCH_SAMPLES = 5_000_000;

const value = new Float64Array(1);
const words = new Uint32Array(value.buffer);
const stale = new Uint32Array(2);
setStaleAt(stale, 0);
const [STALE_LOW, STALE_HIGH] = stale as unknown as readonly [number, number];
// Prometheus writes every NaN but the stale marker like this. Source: prometheus/model/value/value.go
const NORMAL_NAN_LOW = 0x00000001;
const NORMAL_NAN_HIGH = 0x7ff80000;
const EXPONENT = 0x7ff00000;
const FRACTION = 0x000fffff;

/**
 * An appender on `head`; `keep` makes the batch durable, then applies it, and keeps nothing of it. `startT` is accepted
 * and not kept: the store's format has no room for it yet.
 */
export function createAppender(
  head: Head,
  spare: SpareBatches,
  keep: (batch: SampleBatch) => Promise<Committed>,
): Appender {
  const batch = spare.take();
  let done = false;

  const push = (ref: number, t: number, high: number, low: number) => {
    if (done) throw new Error('an appender serves one batch');
    if (!Number.isSafeInteger(t))
      throw new CodedError('STORE_TIME_INVALID', `sample time ${t} is not whole milliseconds`, {
        status: 400,
      });
    if (batch.length >= MAX_BATCH_SAMPLES)
      throw new CodedError(
        'STORE_BATCH_LIMIT',
        `a batch holds at most ${MAX_BATCH_SAMPLES} samples; send less at once`,
        {
          status: 413,
        },
      );
    pushSample(batch, ref, t, high, low);
  };

  const appendWords = (ref: number, t: number, high: number, low: number) => {
    if ((high & EXPONENT) !== EXPONENT || ((high & FRACTION) === 0 && low === 0)) {
      push(ref, t, high, low);
      return;
    }
    words[0] = low;
    words[1] = high;
    if (isStaleAt(words, 0)) push(ref, t, STALE_HIGH, STALE_LOW);
    else push(ref, t, NORMAL_NAN_HIGH, NORMAL_NAN_LOW);
  };

  return {
    reference: (labelBytes) => head.reference(labelBytes),
    isReferenced: (ref) => head.touch(ref),
    find: (bytes, from, to) => head.find(bytes, from, to),
    append(ref, t, v) {
      value[0] = v;
      appendWords(ref, t, words[1]!, words[0]!);
    },
    appendWords,
    appendStale: (ref, t) => push(ref, t, STALE_HIGH, STALE_LOW),
    async commit() {
      if (done) throw new Error('an appender serves one batch');
      done = true;
      try {
        if (batch.length === 0) return { metricNames: new Set<string>(), samples: 0, rejected: 0 };
        return await keep(batch);
      } finally {
        spare.give(batch);
      }
    },
    rollback() {
      if (!done) spare.give(batch);
      done = true;
    },
  };
}
