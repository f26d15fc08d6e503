import type { FastifyPluginAsync, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Query, QueryRange } from '../../model/query-result.ts';
import type { Clock } from '../../util/clock.ts';
import { messageOf } from '../../util/coded-error.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { prettyExpr } from '../promql/print-expr.ts';
import type { Querier } from '../storage/storage.ts';
import { sendApiError } from './prometheus-error.ts';
import { metadataOf } from './prometheus-metadata.ts';
import { badData, type Form, readForm } from './prometheus-parameters.ts';
import { createQueryRoutes } from './prometheus-query.ts';
import { createSeriesRoutes } from './prometheus-series.ts';
import { type AskElsewhere, createSeriesElsewhereRoutes } from './prometheus-series-elsewhere.ts';
import { exprJson } from './prometheus-tree.ts';

export interface PrometheusRoutesOptions {
  readonly query: Query;
  readonly queryRange: QueryRange;
  readonly querier: () => Querier;
  /** Set where another server has the series: it is asked for them instead of `querier`. */
  readonly elsewhere?: AskElsewhere;
  readonly clock: Clock;
}

/** One route: what it answers to a form, as `data`; or it sends the reply itself. */
export type FormHandler = (form: Form, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

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
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, body),
    );
    app.setErrorHandler((error, request, reply) => sendApiError(error, request, reply));

    const route = (url: string, handler: FormHandler, method: RouteOptions['method'] = ['GET', 'POST']) =>
      app.route({
        method,
        url: `/api/v1/${url}`,
        // Asking by POST changes nothing.
        config: { access: 'read' },
        handler: async (request, reply) => {
          const answer = await handler(readForm(request), request, reply);
          return answer === reply ? reply : answer;
        },
      });

    route('query', queries.query);
    route('query_range', queries.queryRange);
    route('series', series.series);
    route('labels', series.labelNames);
    route('label/:name/values', series.labelValues, 'GET');
    route('metadata', async (form) => success(metadataOf(form)), 'GET');
    route('format_query', async (form) => success(prettyExpr(parseQueryParameter(form))));
    route('parse_query', async (form) => success(exprJson(parseQueryParameter(form))));
    route('status/buildinfo', async () => success(buildInfo()), 'GET');
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

function buildInfo() {
  return {
    version: SPOKEN_VERSION,
    revision: '',
    branch: '',
    buildUser: 'podvitals',
    buildDate: '',
    goVersion: '',
  };
}
