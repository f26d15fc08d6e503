import { isStaleAt, setStaleAt } from '../../model/stale-marker.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { Appender, Committed } from '../storage/storage.ts';
import type { Head } from './head.ts';
import { createBatch, pushSample, type SampleBatch } from './sample-batch.ts';

// Bounds one transaction; senders split their requests long before.
const MAX_BATCH_SAMPLES = 5_000_000;

const value = new Float64Array(1);
const words = new Uint32Array(value.buffer);
const stale = new Uint32Array(2);
setStaleAt(stale, 0);
// Prometheus writes every NaN but the stale marker like this. Source: prometheus/model/value/value.go
const NORMAL_NAN_LOW = 0x00000001;
const NORMAL_NAN_HIGH = 0x7ff80000;

/**
 * An appender on `head`; `keep` makes the batch durable, then applies it. `startT` is accepted and not kept: the
 * store's format has no room for it yet.
 */
export function createAppender(head: Head, keep: (batch: SampleBatch) => Promise<Committed>): Appender {
  const batch = createBatch();
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

  return {
    reference: (labelBytes) => head.reference(labelBytes),
    isReferenced: (ref) => head.touch(ref),
    find: (bytes, from, to) => head.find(bytes, from, to),
    append(ref, t, v) {
      value[0] = v;
      if (!Number.isNaN(v)) push(ref, t, words[1]!, words[0]!);
      else if (isStaleAt(words, 0)) push(ref, t, stale[1]!, stale[0]!);
      else push(ref, t, NORMAL_NAN_HIGH, NORMAL_NAN_LOW);
    },
    appendStale: (ref, t) => push(ref, t, stale[1]!, stale[0]!),
    async commit() {
      if (done) throw new Error('an appender serves one batch');
      done = true;
      if (batch.length === 0) return { metricNames: new Set<string>(), samples: 0, rejected: 0 };
      return keep(batch);
    },
    rollback() {
      done = true;
    },
  };
}
