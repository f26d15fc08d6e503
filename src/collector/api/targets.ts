import type { FastifyPluginAsync } from 'fastify';
import { compareLabels, labelValue, toRecord } from '../../model/labels.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import type { MetricMetadata } from '../scrape/metric-metadata.ts';
import type { Scrape } from '../scrape/scrape.ts';
import { compileMatcher } from '../storage/label-matcher.ts';
import { sendApiError } from './prometheus-error.ts';
import { badData, type Form } from './prometheus-parameters.ts';
import { apiRoute } from './prometheus-route.ts';
import { activeTargetJson, droppedTargetJson } from './targets-json.ts';

export interface TargetRoutesOptions {
  readonly pools: Scrape['pools'];
  /** Stands in for this host in links for others. */
  readonly externalHost: string;
}

/**
 * What Prometheus answers on what is scraped: targets, their metadata, and the names of the scrape pools.
 * Source: https://prometheus.io/docs/prometheus/latest/querying/api/#targets
 */
export function targetRoutes({ pools, externalHost }: TargetRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler((error, request, reply) => sendApiError(error, request, reply));
    const route = (url: string, answer: (form: Form) => unknown) =>
      apiRoute(app, url, ['GET'], async (form) => ({ status: 'success', data: answer(form) }));
    route('targets', (form) => targetsOf(pools(), form, externalHost));
    route('targets/metadata', (form) => metadataOf(pools(), form));
    route('scrape_pools', () => ({ scrapePools: pools().map(({ jobName }) => jobName) }));
  };
}

type Pools = ReturnType<Scrape['pools']>;

function targetsOf(all: Pools, form: Form, externalHost: string) {
  const state = (form.get('state') ?? '').toLowerCase();
  const wanted = form.get('scrapePool') ?? '';
  const pools = all.filter(({ jobName }) => wanted === '' || jobName === wanted);
  const showsActive = state === '' || state === 'any' || state === 'active';
  const showsDropped = state === '' || state === 'any' || state === 'dropped';
  return {
    activeTargets: showsActive
      ? pools.flatMap((pool) =>
          sortedLoops(pool).map((loop) => activeTargetJson(pool.jobName, loop, externalHost)),
        )
      : [],
    droppedTargets: showsDropped
      ? pools.flatMap((pool) =>
          pool.dropped().discoveredLabels.map((labels) => droppedTargetJson(pool.jobName, labels)),
        )
      : [],
    droppedTargetCounts: showsDropped
      ? Object.fromEntries(all.map((pool) => [pool.jobName, pool.dropped().count]))
      : null,
  };
}

const sortedLoops = (pool: Pools[number]) =>
  [...pool.active()].sort((a, b) => compareLabels(a.target.labels, b.target.labels));

function metadataOf(pools: Pools, form: Form) {
  const limitText = form.get('limit') ?? '';
  if (limitText !== '' && !/^[+-]?\d{1,15}$/.test(limitText))
    throw new CodedError('PROMETHEUS_PARAMETER', 'limit must be a number', { status: 400 });
  const limit = limitText === '' ? -1 : Number(limitText);
  const metric = form.get('metric') ?? '';
  const matchers = targetMatchers(form).map(compileMatcher);
  const found: object[] = [];
  for (const pool of pools) {
    for (const { target, metadata } of sortedLoops(pool)) {
      if (limit >= 0 && found.length >= limit) break;
      if (!matchers.every((matcher) => matcher.matches(labelValue(target.labels, matcher.name)))) continue;
      const one = metric === '' ? undefined : metadata.get(metric);
      const all: Iterable<MetricMetadata> = metric === '' ? metadata.all() : one ? [one] : [];
      for (const { metric: name, type, help, unit } of all)
        found.push({
          target: toRecord(target.labels),
          ...(metric === '' && { metric: name }),
          type,
          help,
          unit,
        });
    }
  }
  return limit >= 0 ? found.slice(0, limit) : found;
}

function targetMatchers(form: Form) {
  const text = form.get('match_target') ?? '';
  if (text === '') return [];
  try {
    const expr = parseExpr(text);
    if (expr.kind === 'vector-selector') return expr.matchers;
  } catch (error) {
    throw badData('match_target', messageOf(error));
  }
  throw badData('match_target', `${JSON.stringify(text)} is not a selector of labels`);
}
