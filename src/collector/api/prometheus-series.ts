import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { type Labels, labelsKey } from '../../model/labels.ts';
import { CodedError, isCodedError } from '../../util/coded-error.ts';
import { sortByLabels } from '../promql/evaluation/sort-by-labels.ts';
import { createTurn } from '../promql/evaluation/turn.ts';
import { quote } from '../promql/go-format.ts';
import type { FormHandler, PrometheusRoutesOptions } from './prometheus.ts';
import { inTurns, seriesJson } from './prometheus-json.ts';
import {
  badData,
  type Form,
  limitParameter,
  MAX_TIME_MS,
  MIN_TIME_MS,
  matchParameters,
  timeParameter,
} from './prometheus-parameters.ts';
import { TRUNCATED } from './prometheus-query.ts';

// How long the series API may take.
const TIMEOUT_MS = 120_000;

/** Which series, label names and label values there are. */
export function createSeriesRoutes({ querier, clock }: PrometheusRoutesOptions): {
  readonly series: FormHandler;
  readonly labelNames: FormHandler;
  readonly labelValues: FormHandler;
} {
  return {
    async series(form, _request, reply) {
      if (form.getAll('match[]').length === 0) throw plain('no match[] parameter provided');
      const limit = limitParameter(form);
      const { minT, maxT } = boundsOf(form);
      const turn = createTurn(clock, TIMEOUT_MS);
      const found = new Map<string, { readonly labels: Labels }>();
      for (const matchers of seriesMatchers(form)) {
        for (const { labels } of querier().select(matchers, minT, maxT)) {
          found.set(labelsKey(labels), { labels });
          if (turn.isOver()) await turn.pause();
        }
      }
      const sorted = (await sortByLabels([...found.values()], turn)).map(({ labels }) => labels);
      const { items, warnings } = firstOf(sorted, limit);
      const parts = inTurns(seriesJson(items, warnings), clock);
      return reply.type('application/json').send(Readable.from(parts, { objectMode: false }));
    },
    async labelNames(form) {
      const limit = limitParameter(form);
      const { minT, maxT } = boundsOf(form);
      const names = anyOf(form, (matchers) => querier().labelNames(matchers, minT, maxT));
      return limited(names, limit);
    },
    async labelValues(form, request) {
      const name = labelNameOf(request);
      const limit = limitParameter(form);
      const { minT, maxT } = boundsOf(form);
      const values = anyOf(form, (matchers) => querier().labelValues(name, matchers, minT, maxT));
      return limited(values, limit);
    },
  };
}

const plain = (message: string) => new CodedError('PROMETHEUS_PARAMETER', message, { status: 400 });

function boundsOf(form: Form): { readonly minT: number; readonly maxT: number } {
  return { minT: timeParameter(form, 'start', MIN_TIME_MS), maxT: timeParameter(form, 'end', MAX_TIME_MS) };
}

function seriesMatchers(form: Form): ReturnType<typeof matchParameters> {
  try {
    return matchParameters(form);
  } catch (error) {
    throw isCodedError(error) ? badData('match[]', error.message) : error;
  }
}

/** What any of the selectors finds, or what there is when none is given; sorted, each once. */
function anyOf(
  form: Form,
  find: (matchers: ReturnType<typeof matchParameters>[number]) => string[],
): string[] {
  const selectors = matchParameters(form);
  const found = new Set((selectors.length === 0 ? [[]] : selectors).flatMap(find));
  return [...found].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function limited(all: readonly string[], limit: number) {
  const { items, warnings } = firstOf(all, limit);
  return { status: 'success', data: items, ...(warnings.length > 0 ? { warnings } : {}) };
}

function firstOf<T>(
  items: readonly T[],
  limit: number,
): { items: readonly T[]; warnings: readonly string[] } {
  if (limit === 0 || items.length <= limit) return { items, warnings: [] };
  return { items: items.slice(0, limit), warnings: [TRUNCATED] };
}

function labelNameOf(request: FastifyRequest): string {
  const { name = '' } = request.params as { name?: string };
  const unescaped = name.startsWith('U__') ? unescapeName(name.slice(3)) : name;
  if (unescaped === '' || !unescaped.isWellFormed()) throw plain(`invalid label name: ${quote(unescaped)}`);
  return unescaped;
}

/** A UTF-8 name as it travels where only letters, digits and `_` may: `__` is `_`, `_1F600_` a code point. */
function unescapeName(escaped: string): string {
  return escaped.replace(/__|_([0-9a-fA-F]{1,6})_/g, (_, hex: string | undefined) => {
    if (hex === undefined) return '_';
    const code = Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  });
}
