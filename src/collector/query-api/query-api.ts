import type { Query, QueryOptions, QueryRange } from '../../model/query-result.ts';
import type { Clock } from '../../util/clock.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { createQuerySlots } from '../../util/query-slots.ts';
import { type ApiAnswer, readResult } from './result.ts';

export interface QueryApiOptions {
  /** Of the server, to which `/api/v1/query` is added; without user and password: those are in `headers`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

/**
 * Another server that answers PromQL by Prometheus' HTTP API: Prometheus, VictoriaMetrics, Mimir, Thanos. It answers
 * as our own engine does; when it is away, queries reject with `QUERY_UNAVAILABLE`.
 * Source: https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export interface QueryApi {
  readonly query: Query;
  readonly queryRange: QueryRange;
  /** Asks for something else under `/api/v1/`, e.g. `labels`. */
  ask(path: string, parameters: URLSearchParams, signal?: AbortSignal): Promise<ApiAnswer>;
}

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 64 * 1024 * 1024;
// A server asked by many rules at once should have some of its own time left.
const MOST_AT_ONCE = 8;
/** Who waits for a server that does not answer should not wait once for every rule. */
const AWAY_MS = 3_000;

export function createQueryApi(options: QueryApiOptions): QueryApi {
  const { clock } = options;
  const base = options.url.replace(/\/+$/, '');
  const slots = createQuerySlots(MOST_AT_ONCE, TIMEOUT_MS, clock);
  let away: { readonly untilMs: number; readonly error: CodedError } | undefined;

  const unavailable = (why: string) =>
    new CodedError('QUERY_UNAVAILABLE', `${base} does not answer queries: ${why}`, { status: 503 });

  const request = async (
    path: string,
    body: URLSearchParams | undefined,
    signal: AbortSignal | undefined,
  ) => {
    if (away !== undefined && clock.monotonic() < away.untilMs) throw away.error;
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const response = await fetch(`${base}/api/v1/${path}`, {
        ...(body === undefined ? {} : { method: 'POST', body }),
        headers: { ...options.headers, accept: 'application/json', 'user-agent': 'podvitals' },
        redirect: 'manual',
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      const answer = await readAnswer(response);
      away = undefined;
      return answer;
    } catch (error) {
      if (signal?.aborted) throw new CodedError('QUERY_CANCELED', 'query was canceled', { status: 499 });
      if (error instanceof CodedError) throw error;
      const { cause = error } = error as { readonly cause?: unknown };
      const trouble = unavailable(
        timeout.aborted ? `nothing within ${TIMEOUT_MS / 1000} s` : messageOf(cause),
      );
      away = { untilMs: clock.monotonic() + AWAY_MS, error: trouble };
      throw trouble;
    }
  };

  const answered = (path: string, body: URLSearchParams | undefined, signal: AbortSignal | undefined) =>
    slots.run(async () => {
      const { status, type, text } = await request(path, body, signal);
      // VictoriaMetrics says `application/stream+json` of raw samples.
      if (!type?.endsWith('json') || (status >= 300 && status < 400))
        throw unavailable(`HTTP ${status}: ${text.slice(0, 200).replace(/\s+/g, ' ')}`);
      return { status, body: text };
    }, signal);

  const ask = async (path: string, parameters: Record<string, string>, signal: AbortSignal | undefined) => {
    // VictoriaMetrics leaves out the last 30 s and answers from a cache unless told otherwise; others do not mind.
    const form = new URLSearchParams({ ...parameters, nocache: '1' });
    return readResult(await answered(path, form, signal));
  };

  return {
    query: (expr, atMs, signal, options) =>
      ask('query', { query: expr, time: seconds(atMs), ...lookback(options) }, signal),
    queryRange: (expr, { startMs, endMs, stepMs }, signal, options) =>
      ask(
        'query_range',
        {
          query: expr,
          start: seconds(startMs),
          end: seconds(endMs),
          step: seconds(stepMs),
          ...lookback(options),
        },
        signal,
      ),
    ask: (path, parameters, signal) => answered(`${path}?${parameters}`, undefined, signal),
  };
}

const seconds = (ms: number) => (ms / 1000).toFixed(3);

const lookback = ({ lookbackMs }: QueryOptions = {}): Record<string, string> =>
  lookbackMs === undefined ? {} : { lookback_delta: seconds(lookbackMs) };

async function readAnswer(response: Response) {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += (part as Uint8Array).length;
    if (size > MOST_BYTES)
      throw new CodedError(
        'QUERY_EXECUTION',
        `the answer has more than ${MOST_BYTES} bytes; narrow the query`,
        {
          status: 422,
        },
      );
    parts.push(part as Uint8Array);
  }
  const type = response.headers.get('content-type')?.split(';')[0]?.trim();
  return { status: response.status, type, text: Buffer.concat(parts).toString('utf8') };
}
