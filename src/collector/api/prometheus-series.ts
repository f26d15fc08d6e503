import type { FastifyReply, FastifyRequest } from 'fastify';
import { compareNames, type Labels, labelsKey, labelValue } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { Clock } from '../../util/clock.ts';
import { CodedError, isCodedError } from '../../util/coded-error.ts';
import { sortByLabels, sortInTurns } from '../promql/evaluation/sort-by-labels.ts';
import { createTurn } from '../promql/evaluation/turn.ts';
import { quote } from '../promql/go-format.ts';
import type { Querier } from '../storage/storage.ts';
import { seriesJson, textsJson } from './prometheus-json.ts';
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
import { type FormHandler, sendPieces } from './prometheus-route.ts';

// How long the series API may take.
const TIMEOUT_MS = 120_000;

export interface SeriesRoutesOptions {
  readonly querier: () => Querier;
  readonly clock: Clock;
}

/** Which series, label names and label values there are. */
export function createSeriesRoutes({ querier, clock }: SeriesRoutesOptions): {
  readonly series: FormHandler;
  readonly labelNames: FormHandler;
  readonly labelValues: FormHandler;
} {
  /** What `collect` takes from the series that any of the selectors finds, or from all; sorted, each once. */
  const answerTexts = async (
    form: Form,
    reply: FastifyReply,
    besides: readonly Matcher[],
    collect: (labels: Labels, found: Set<string>) => void,
  ) => {
    const limit = limitParameter(form);
    const { minT, maxT } = boundsOf(form);
    const selectors = matchParameters(form);
    const turn = createTurn(clock, TIMEOUT_MS);
    const found = new Set<string>();
    for (const matchers of selectors.length === 0 ? [[]] : selectors) {
      for (const one of find(querier(), [...matchers, ...besides], minT, maxT)) {
        if (turn.isOver()) await turn.pause();
        if (one !== undefined) collect(one.labels, found);
      }
    }
    const sorted = await sortInTurns([...found], compareNames, turn);
    const { items, warnings } = firstOf(sorted, limit);
    return sendPieces(reply, textsJson(items, warnings), clock);
  };

  return {
    async series(form, _request, reply) {
      if (form.getAll('match[]').length === 0) throw plain('no match[] parameter provided');
      const limit = limitParameter(form);
      const { minT, maxT } = boundsOf(form);
      const turn = createTurn(clock, TIMEOUT_MS);
      const found = new Map<string, { readonly labels: Labels }>();
      for (const matchers of seriesMatchers(form)) {
        for (const one of find(querier(), matchers, minT, maxT)) {
          if (turn.isOver()) await turn.pause();
          if (one !== undefined) found.set(labelsKey(one.labels), { labels: one.labels });
        }
      }
      const sorted = (await sortByLabels([...found.values()], turn)).map(({ labels }) => labels);
      const { items, warnings } = firstOf(sorted, limit);
      return sendPieces(reply, seriesJson(items, warnings), clock);
    },
    async labelNames(form, _request, reply) {
      return answerTexts(form, reply, [], (labels, found) => {
        for (const [name] of labels) found.add(name);
      });
    },
    async labelValues(form, request, reply) {
      const name = labelNameOf(request);
      const hasName: Matcher = { name, op: '!=', value: '' };
      return answerTexts(form, reply, [hasName], (labels, found) => found.add(labelValue(labels, name)));
    },
  };
}

const find = (querier: Querier, matchers: readonly Matcher[], minT: number, maxT: number) =>
  querier.search?.(matchers, minT, maxT) ?? querier.select(matchers, minT, maxT);

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
