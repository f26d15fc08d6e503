import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Query, QueryOptions, QueryRange, QueryResult } from '../../model/query-result.ts';
import type { Clock } from '../../util/clock.ts';
import { CodedError, isCodedError } from '../../util/coded-error.ts';
import { resultJson } from './prometheus-json.ts';
import {
  badData,
  durationParameter,
  type Form,
  limitParameter,
  parseDurationParameter,
  requiredTime,
  timeParameter,
} from './prometheus-parameters.ts';
import { type FormHandler, sendPieces } from './prometheus-route.ts';

const MOST_STEPS = 11_000;

export interface QueryRoutesOptions {
  readonly query: Query;
  readonly queryRange: QueryRange;
  readonly clock: Clock;
}

export function createQueryRoutes({ query, queryRange, clock }: QueryRoutesOptions): {
  readonly query: FormHandler;
  readonly queryRange: FormHandler;
} {
  const answer = async (
    form: Form,
    request: FastifyRequest,
    reply: FastifyReply,
    limit: number,
    ask: (signal: AbortSignal) => Promise<QueryResult>,
  ) => {
    const { stats, release, ...result } = truncate(await stoppable(form, request, ask), limit);
    const told = form.get('stats') ? { ...result, ...(stats && { stats }) } : result;
    return sendPieces(reply, resultJson(told), clock, release);
  };

  /** Stops the query when its time is up, or when nobody waits for the answer any more. */
  async function stoppable<T>(form: Form, request: FastifyRequest, ask: (signal: AbortSignal) => Promise<T>) {
    const stop = new AbortController();
    const timeoutMs = form.get('timeout') ? durationParameter(form, 'timeout') : undefined;
    let timedOut = false;
    const expire = () => {
      timedOut = true;
      stop.abort();
    };
    if (timeoutMs !== undefined && timeoutMs <= 0) expire();
    const cancelTimer = timeoutMs === undefined ? undefined : clock.setTimer(timeoutMs, expire);
    const onClose = () => stop.abort();
    request.raw.socket.once('close', onClose);
    try {
      return await ask(stop.signal);
    } catch (error) {
      if (!timedOut || !isCodedError(error) || error.code !== 'QUERY_CANCELED') throw inQuery(error);
      throw new CodedError('QUERY_TIMEOUT', 'query timed out in expression evaluation', { status: 503 });
    } finally {
      cancelTimer?.();
      request.raw.socket.off('close', onClose);
    }
  }

  return {
    async query(form, request, reply) {
      const limit = limitParameter(form);
      const atMs = timeParameter(form, 'time', clock.now());
      const options = optionsOf(form);
      return answer(form, request, reply, limit, (signal) =>
        query(form.get('query') ?? '', atMs, signal, options),
      );
    },
    async queryRange(form, request, reply) {
      const limit = limitParameter(form);
      const range = rangeOf(form);
      const options = optionsOf(form);
      return answer(form, request, reply, limit, (signal) =>
        queryRange(form.get('query') ?? '', range, signal, options),
      );
    },
  };
}

/** What is wrong with the text of a query is told as a wrong parameter. */
function inQuery(error: unknown): unknown {
  return isCodedError(error) && error.code === 'QUERY_PARSE' ? badData('query', error.message) : error;
}

function rangeOf(form: Form) {
  const startMs = requiredTime(form, 'start');
  const endMs = requiredTime(form, 'end');
  if (endMs < startMs) throw badData('end', 'end timestamp must not be before start time');
  const stepMs = durationParameter(form, 'step');
  if (stepMs <= 0) {
    throw badData(
      'step',
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  if (Math.floor((endMs - startMs) / stepMs) > MOST_STEPS) {
    throw new CodedError(
      'PROMETHEUS_PARAMETER',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
      { status: 400 },
    );
  }
  // Times are whole milliseconds, so that a shorter step cannot be taken.
  return { startMs, endMs, stepMs: Math.max(1, Math.trunc(stepMs)) };
}

/** `lookback_delta`, which Prometheus has beside its flag; 0 is as if it were not given. */
function optionsOf(form: Form): QueryOptions {
  const text = form.get('lookback_delta') ?? '';
  if (text === '') return {};
  const lookbackMs = parseDurationParameter(text);
  if (typeof lookbackMs === 'number') return lookbackMs > 0 ? { lookbackMs } : {};
  throw new CodedError(
    'PROMETHEUS_PARAMETER',
    `error parsing lookback delta duration: ${lookbackMs.mistake}`,
    { status: 400 },
  );
}

function truncate(result: QueryResult, limit: number): QueryResult {
  const { value } = result;
  if (limit === 0) return result;
  const warnings = [...result.warnings, TRUNCATED];
  if (value.type === 'vector' && value.samples.length > limit) {
    return { ...result, value: { ...value, samples: value.samples.slice(0, limit) }, warnings };
  }
  if (value.type === 'matrix' && value.series.length > limit) {
    return { ...result, value: { ...value, series: value.series.slice(0, limit) }, warnings };
  }
  return result;
}

export const TRUNCATED = 'results truncated due to limit';
