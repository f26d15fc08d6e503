import type { Metric, RangeSeries } from '../prometheus.ts';
import { getJson } from '../request.ts';

export interface TimedValue {
  readonly t: number;
  /** As the API writes it, so that no digit is lost. */
  readonly v: string;
}

/** An answer as it can be shown; what it warns of goes with it. */
export type Answer = (
  | {
      readonly kind: 'samples';
      readonly rows: readonly { readonly metric: Metric; readonly values: readonly TimedValue[] }[];
    }
  | { readonly kind: 'literal'; readonly value: TimedValue }
  | { readonly kind: 'series'; readonly series: readonly RangeSeries[] }
) & { readonly warnings: readonly string[]; readonly infos: readonly string[] };

type Point = readonly [t: number, v: string];

interface Body {
  readonly data:
    | { readonly resultType: 'vector'; readonly result: readonly { metric: Metric; value: Point }[] }
    | {
        readonly resultType: 'matrix';
        readonly result: readonly { metric: Metric; values: readonly Point[] }[];
      }
    | { readonly resultType: 'scalar' | 'string'; readonly result: Point };
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

/** Posted, so that an expression may be longer than an address. @throws RequestError */
async function post(
  path: string,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Body> {
  return getJson<Body>(path, { method: 'POST', body: new URLSearchParams(parameters), signal });
}

/** Times in seconds. @throws RequestError with the query's own message */
export async function askInstant(expr: string, at: number, signal: AbortSignal): Promise<Answer> {
  const {
    data,
    warnings = [],
    infos = [],
  } = await post('/api/v1/query', { query: expr, time: String(at) }, signal);
  const told = { warnings, infos };
  switch (data.resultType) {
    case 'vector':
      return {
        kind: 'samples',
        rows: data.result.map(({ metric, value }) => ({ metric, values: [timed(value)] })),
        ...told,
      };
    case 'matrix':
      return {
        kind: 'samples',
        rows: data.result.map(({ metric, values }) => ({ metric, values: values.map(timed) })),
        ...told,
      };
    default:
      return { kind: 'literal', value: timed(data.result), ...told };
  }
}

const timed = ([t, v]: Point): TimedValue => ({ t, v });

/** Times in seconds. @throws RequestError with the query's own message */
export async function askRange(
  expr: string,
  { start, end, step }: { readonly start: number; readonly end: number; readonly step: number },
  signal: AbortSignal,
): Promise<Answer> {
  const parameters = { query: expr, start: String(start), end: String(end), step: String(step) };
  const { data, warnings = [], infos = [] } = await post('/api/v1/query_range', parameters, signal);
  const series = data.resultType === 'matrix' ? data.result : [];
  return {
    kind: 'series',
    series: series.map(({ metric, values }) => ({
      metric,
      points: values.map(([t, v]) => [t, Number(v.replace('Inf', 'Infinity'))] as const),
    })),
    warnings,
    infos,
  };
}
