import { deepStrictEqual, ok } from 'node:assert';
import { createCommentCache } from '../../../src/collector/scrape/comment-cache.ts';
import { createSeriesCache } from '../../../src/collector/scrape/series-cache.ts';
import { encodeLabels, toLabels } from '../../../src/model/labels.ts';
import { isCodedError } from '../../../src/util/coded-error.ts';
import type { TextFormat } from '../../../src/wire/prometheus/content-type.ts';
import { type ExpositionSink, readExposition } from '../../../src/wire/prometheus/exposition-reader.ts';
import { parseSeries } from '../../../src/wire/prometheus/exposition-series.ts';
import type { Random } from '../random.ts';
import { mutateBytes, mutateText } from './mutation.ts';

/** What a target exposes, in either format: two bodies, one after the other, as two scrapes get them. */
const BODIES: readonly string[] = [
  `# HELP http_requests_total Requests, a \\\\ and \\n in it.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000
# a comment
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
rpc_duration_seconds{quantile="0.01"} 3102
rpc_duration_seconds_sum 1.7560473e+07
{"name.in.quotes", "label é"="∑"} NaN
`,
  `# TYPE foo counter
# UNIT foo_seconds seconds
# HELP foo_seconds Some.
foo_total{a="b"} 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879606.1
foo_created{a="b"} 1520430000.123
# TYPE h histogram
h_bucket{le="0.1"} 8 # {} 0.054
h_bucket{le="+Inf"} 17
h_count 17
{"dotted.name", x="y"} 1e-5
# EOF
`,
];
const BYTES = BODIES.map((body) => new TextEncoder().encode(body));
const FORMATS: readonly TextFormat[] = ['prometheus-0.0.4', 'openmetrics-1.0.0'];

/** Mostly text that is nearly right; now and then bytes that are no text. */
export const expositionInput = (random: Random): Uint8Array =>
  random.chance(0.7) ? new TextEncoder().encode(mutateText(random, BODIES)) : mutateBytes(random, BYTES);

type Told = readonly unknown[];

/** All that a reader tells, and how it ended. */
function toldBy(
  bytes: Uint8Array,
  format: TextFormat,
  cached: (sink: ExpositionSink) => ExpositionSink = (sink) => sink,
): Told {
  const told: unknown[] = [];
  const sink = cached({
    sample: (from, to, value, t) => void told.push(['sample', from, to, value, t]),
    type: (name, type) => void told.push(['type', name, type]),
    help: (name, text) => void told.push(['help', name, text]),
    unit: (name, unit) => void told.push(['unit', name, unit]),
  });
  try {
    for (const _ of readExposition(bytes, format, sink));
    told.push('end');
  } catch (error) {
    if (!isCodedError(error)) throw error;
    told.push(error.message);
  }
  return told;
}

/** Samples lie within the body, their labels are read or refused in words, and what is remembered changes nothing. */
export function checkExposition(bytes: Uint8Array): void {
  for (const format of FORMATS) {
    const told = toldBy(bytes, format);
    for (const event of told) {
      if (!Array.isArray(event) || event[0] !== 'sample') continue;
      const [, from, to, value, t] = event as [string, number, number, number, number | undefined];
      ok(from >= 0 && from < to && to <= bytes.length, `a series at ${from} to ${to}`);
      ok(typeof value === 'number' && (t === undefined || Number.isSafeInteger(t)), `${value} at ${t}`);
    }
    const series = createSeriesCache(1);
    const comments = createCommentCache(1);
    for (const body of [bytes, bytes, BYTES[0]!, bytes]) {
      series.begin(body, false);
      const again = toldBy(body, format, (sink) => ({
        ...comments.begin(body, format, sink),
        sample(from, to, value, t) {
          sink.sample(from, to, value, t);
          if (series.get(from, to) !== undefined) return;
          series.add(from, to, labelsIn(body.subarray(from, to), format));
        },
        knownSeries: series.expectedEnd,
      }));
      series.done(false);
      comments.done();
      if (body === bytes) deepStrictEqual(again, told);
    }
  }
}

/** `null` where they are refused. */
function labelsIn(bytes: Uint8Array, format: TextFormat): Uint8Array | null {
  try {
    return encodeLabels(toLabels(Object.fromEntries(parseSeries(bytes, format))));
  } catch (error) {
    if (isCodedError(error)) return null;
    throw error;
  }
}
