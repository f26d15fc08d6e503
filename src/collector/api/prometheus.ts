import type { FastifyPluginAsync } from 'fastify';
import { messageOf } from '../../util/coded-error.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { prettyExpr } from '../promql/print-expr.ts';
import type { MetricMetadata } from '../scrape/metric-metadata.ts';
import { sendApiError } from './prometheus-error.ts';
import { metadataOf } from './prometheus-metadata.ts';
import { badData, type Form } from './prometheus-parameters.ts';
import { createQueryRoutes, type QueryRoutesOptions } from './prometheus-query.ts';
import { acceptForms, apiRoute, type FormHandler } from './prometheus-route.ts';
import { createSeriesRoutes, type SeriesRoutesOptions } from './prometheus-series.ts';
import { type AskElsewhere, createSeriesElsewhereRoutes } from './prometheus-series-elsewhere.ts';
import { exprJson } from './prometheus-tree.ts';

export interface PrometheusRoutesOptions extends QueryRoutesOptions, SeriesRoutesOptions {
  /** Set where another server has the series: it is asked for them instead of `querier`. */
  readonly elsewhere?: AskElsewhere;
  /** What scraped targets say of their metrics. */
  readonly scrapedMetadata?: () => Iterable<MetricMetadata>;
}

/** The version of Prometheus whose API and language this is; clients choose features by it. */
const SPOKEN_VERSION = '3.5.0';

/**
 * The query side of the Prometheus HTTP API under /api/v1, with its JSON, errors and limits: query, query_range,
 * series, labels, label values, metadata, format_query, parse_query, status/buildinfo. Forms come by GET or POST.
 * Source: https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export function prometheusRoutes(options: PrometheusRoutesOptions): FastifyPluginAsync {
  const queries = createQueryRoutes(options);
  const series = options.elsewhere
    ? createSeriesElsewhereRoutes(options.elsewhere)
    : createSeriesRoutes(options);
  return async (app) => {
    acceptForms(app);
    app.setErrorHandler((error, request, reply) => sendApiError(error, request, reply));

    const route = (
      url: string,
      handler: FormHandler,
      methods: readonly ('GET' | 'POST')[] = ['GET', 'POST'],
    ) => apiRoute(app, url, methods, handler);

    route('query', queries.query);
    route('query_range', queries.queryRange);
    route('series', series.series);
    route('labels', series.labelNames);
    route('label/:name/values', series.labelValues, ['GET']);
    route('metadata', async (form) => success(metadataOf(form, options.scrapedMetadata?.())), ['GET']);
    route('format_query', async (form) => success(prettyExpr(parseQueryParameter(form))));
    route('parse_query', async (form) => success(exprJson(parseQueryParameter(form))));
    route('status/buildinfo', async () => success(buildInfo()), ['GET']);
  };
}

export const success = (data: unknown) => ({ status: 'success', data });

function parseQueryParameter(form: Form) {
  try {
    return parseExpr(form.get('query') ?? '');
  } catch (error) {
    throw badData('query', messageOf(error));
  }
}

/** What Prometheus says of itself at status/buildinfo and /version. */
export function buildInfo() {
  return {
    version: SPOKEN_VERSION,
    revision: '',
    branch: '',
    buildUser: 'podvitals',
    buildDate: '',
    goVersion: '',
  };
}
