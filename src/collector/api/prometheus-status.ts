import { availableParallelism, hostname } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { FastifyPluginAsync } from 'fastify';
import { stringify } from 'yaml';
import { METRIC_NAME } from '../../model/labels.ts';
import type { Clock } from '../../util/clock.ts';
import { CodedError } from '../../util/coded-error.ts';
import { createTurn } from '../promql/evaluation/turn.ts';
import { formatDuration } from '../promql/go-format.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import type { Querier } from '../storage/storage.ts';
import { cardinalityOf } from './prometheus-cardinality.ts';
import { sendApiError } from './prometheus-error.ts';
import { type Form, MAX_TIME_MS, MIN_TIME_MS, timeParameter } from './prometheus-parameters.ts';
import { acceptForms, apiRoute } from './prometheus-route.ts';

export interface StatusRoutesOptions {
  readonly querier: () => Querier;
  readonly stats: () => { readonly activeSeries: number };
  /** The times of the oldest and the newest sample; undefined where there is none. */
  readonly timeBounds: () => Promise<{ readonly minT: number; readonly maxT: number } | undefined>;
  readonly retention: { readonly timeMs: number; readonly bytes: number };
  readonly evaluationIntervalMs: number;
  readonly ruleFiles: readonly string[];
  readonly listen: { readonly host: string; readonly port: number };
  readonly clock: Clock;
}

/**
 * What Prometheus tells of itself, in its words and as far as it is so here: status/runtimeinfo, flags, config, tsdb,
 * walreplay; and query_exemplars, of which we keep none.
 * Source: https://prometheus.io/docs/prometheus/latest/querying/api/#status
 */
export function statusRoutes(options: StatusRoutesOptions): FastifyPluginAsync {
  const { clock } = options;
  const startedAt = clock.now();
  return async (app) => {
    acceptForms(app);
    app.setErrorHandler((error, request, reply) => sendApiError(error, request, reply));
    const tell = (url: string, data: (form: Form) => unknown) =>
      apiRoute(app, url, ['GET'], async (form) => ({ status: 'success', data: await data(form) }));
    tell('status/runtimeinfo', () => runtimeInfo(options, startedAt));
    tell('status/flags', () => flags(options));
    tell('status/config', () => ({ yaml: configuration(options) }));
    tell('status/tsdb', (form) => tsdbStatus(options, form));
    // The journal is replayed before the first request is heard.
    tell('status/walreplay', () => ({ min: 0, max: 0, current: 0 }));
    apiRoute(app, 'query_exemplars', ['GET', 'POST'], async (form) => {
      const start = timeParameter(form, 'start', MIN_TIME_MS);
      if (timeParameter(form, 'end', MAX_TIME_MS) < start)
        throw badData('end timestamp must not be before start timestamp');
      parseExpr(form.get('query') ?? '');
      return { status: 'success', data: [] };
    });
  };
}

const badData = (message: string) => new CodedError('PROMETHEUS_PARAMETER', message, { status: 400 });

const rfc3339 = (ms: number) => new Date(ms).toISOString();

function runtimeInfo({ clock, retention }: StatusRoutesOptions, startedAt: number) {
  return {
    startTime: rfc3339(startedAt),
    CWD: process.cwd(),
    hostname: hostname(),
    serverTime: rfc3339(clock.now()),
    reloadConfigSuccess: true,
    lastConfigTime: rfc3339(startedAt),
    // A damaged journal is not opened at all.
    corruptionCount: 0,
    goroutineCount: process.getActiveResourcesInfo().length,
    GOMAXPROCS: availableParallelism(),
    GOMEMLIMIT: getHeapStatistics().heap_size_limit,
    GOGC: '',
    GODEBUG: '',
    storageRetention: `${formatDuration(retention.timeMs)} or ${retention.bytes}B`,
  };
}

/** Prometheus' flags that have a meaning here, with what is in force. */
function flags({ retention, listen }: StatusRoutesOptions): Readonly<Record<string, string>> {
  return {
    'enable-feature': '',
    'query.lookback-delta': '5m',
    'query.max-samples': '50000000',
    'query.timeout': '2m',
    'storage.tsdb.retention.size': `${retention.bytes}B`,
    'storage.tsdb.retention.time': formatDuration(retention.timeMs),
    'web.listen-address': `${listen.host}:${listen.port}`,
  };
}

function configuration({ evaluationIntervalMs, ruleFiles }: StatusRoutesOptions): string {
  return stringify({
    global: { evaluation_interval: formatDuration(evaluationIntervalMs) },
    ...(ruleFiles.length > 0 && { rule_files: ruleFiles }),
  });
}

const LISTED = 10;
const MOST_LISTED = 10_000;
const TIMEOUT_MS = 120_000;
const ALL_SERIES = [{ name: METRIC_NAME, op: '!=', value: '' }] as const;

async function tsdbStatus({ querier, stats, timeBounds, clock }: StatusRoutesOptions, form: Form) {
  const text = form.get('limit') ?? '';
  if (text !== '' && !/^0*[1-9]\d{0,8}$/.test(text)) throw badData('limit must be a positive number');
  const most = text === '' ? LISTED : Math.min(Number(text), MOST_LISTED);
  const now = clock.now();
  const { minT, maxT } = (await timeBounds()) ?? { minT: now, maxT: now };
  const found = await cardinalityOf(
    querier().select(ALL_SERIES, MIN_TIME_MS, MAX_TIME_MS),
    most,
    createTurn(clock, TIMEOUT_MS),
  );
  const { activeSeries } = stats();
  return {
    headStats: {
      numSeries: activeSeries,
      numLabelPairs: found.labelPairs,
      // Each series in memory has one chunk that takes samples.
      chunkCount: activeSeries,
      // There is one store for old and new: its bounds; that of nothing is now.
      minTime: minT,
      maxTime: maxT,
    },
    seriesCountByMetricName: found.seriesByMetric,
    labelValueCountByLabelName: found.valuesByLabel,
    memoryInBytesByLabelName: found.bytesByLabel,
    seriesCountByLabelValuePair: found.seriesByPair,
  };
}
