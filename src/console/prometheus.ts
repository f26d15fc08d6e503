import { getJson } from './request.ts';

export type Metric = Readonly<Record<string, string>>;

export interface RangeSeries {
  readonly metric: Metric;
  /** Seconds and value, ascending. */
  readonly points: readonly (readonly [t: number, v: number])[];
}

export interface InstantSample {
  readonly metric: Metric;
  readonly value: number;
}

interface Answer<Result> {
  readonly data: { readonly resultType: string; readonly result: Result };
}

/** Times in seconds. @throws RequestError with the query's own message. */
export async function queryRange(
  expr: string,
  range: { readonly start: number; readonly end: number; readonly step: number },
  signal?: AbortSignal,
): Promise<readonly RangeSeries[]> {
  const asked = new URLSearchParams({
    query: expr,
    start: String(range.start),
    end: String(range.end),
    step: String(range.step),
  });
  const { data } = await getJson<Answer<readonly { metric: Metric; values: readonly [number, string][] }[]>>(
    `/api/v1/query_range?${asked}`,
    signal && { signal },
  );
  return data.result.map(({ metric, values }) => ({
    metric,
    points: values.map(([t, v]) => [t, toNumber(v)] as const),
  }));
}

export async function queryInstant(
  expr: string,
  at: number,
  signal?: AbortSignal,
): Promise<readonly InstantSample[]> {
  const asked = new URLSearchParams({ query: expr, time: String(at) });
  const { data } = await getJson<Answer<unknown>>(`/api/v1/query?${asked}`, signal && { signal });
  if (data.resultType === 'scalar') {
    return [{ metric: {}, value: toNumber((data.result as [number, string])[1]) }];
  }
  return (data.result as readonly { metric: Metric; value: [number, string] }[]).map(({ metric, value }) => ({
    metric,
    value: toNumber(value[1]),
  }));
}

/** The values of a label among the series a selector matches within the bounds. */
export async function labelValues(
  label: string,
  selector: string | undefined,
  range: { readonly start: number; readonly end: number },
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const asked = new URLSearchParams({ start: String(range.start), end: String(range.end) });
  if (selector !== undefined) asked.set('match[]', selector);
  const url = `/api/v1/label/${encodeURIComponent(label)}/values?${asked}`;
  return (await getJson<{ data: readonly string[] }>(url, signal && { signal })).data;
}

function toNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
