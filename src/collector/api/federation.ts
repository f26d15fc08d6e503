import { Readable } from 'node:stream';
import type { FastifyPluginAsync } from 'fastify';
import { type Labels, labelsKey, labelValue, METRIC_NAME } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import { isStaleAt, wordsOf } from '../../model/stale-marker.ts';
import type { Clock } from '../../util/clock.ts';
import { isCodedError } from '../../util/coded-error.ts';
import {
  escapeName,
  isClassicName,
  type NameEscaping,
  negotiateEscaping,
} from '../../wire/prometheus/name-escaping.ts';
import { selectSeries } from '../promql/evaluation/instant-selector.ts';
import { createTurn, type Turn } from '../promql/evaluation/turn.ts';
import { formatFloat } from '../promql/go-format.ts';
import { parseMetricSelector } from '../promql/parse-metric-selector.ts';
import type { Querier } from '../storage/storage.ts';
import { copyPiecesFor } from './piece-buffers.ts';
import { readForm } from './prometheus-parameters.ts';
import { inTurns, type WriteText, writeText } from './text-bytes.ts';

export interface FederationOptions {
  readonly querier: () => Querier;
  readonly clock: Clock;
}

const LOOKBACK_MS = 5 * 60_000;
const TIMEOUT_MS = 120_000;

interface Newest {
  readonly labels: Labels;
  readonly t: number;
  readonly v: number;
}

/**
 * `/federate?match[]=…`: the newest sample of each series that any of the selectors finds, for another Prometheus to
 * scrape. Series that ended are left out.
 * Source: https://prometheus.io/docs/prometheus/latest/federation/
 */
export function federationRoutes({ querier, clock }: FederationOptions): FastifyPluginAsync {
  return async (app) => {
    app.get('/federate', async (request, reply) => {
      const escaping = negotiateEscaping(request.headers.accept ?? '');
      let selectors: Selectors;
      try {
        // Unlike elsewhere they may match all that there is.
        selectors = readForm(request).getAll('match[]').map(parseMetricSelector);
      } catch (error) {
        if (!isCodedError(error)) throw error;
        return reply.code(400).type('text/plain; charset=utf-8').send(`${error.message}\n`);
      }
      const turn = createTurn(clock, TIMEOUT_MS);
      const found = await newestOf(querier(), selectors, clock.now(), turn);
      const pieces = inTurns(exposition(found, escaping), clock, copyPiecesFor(reply.raw));
      return reply
        .type(`text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`)
        .send(Readable.from(pieces, { objectMode: false }));
    });
  };
}

type Selectors = readonly (readonly Matcher[])[];

async function newestOf(querier: Querier, selectors: Selectors, now: number, turn: Turn): Promise<Newest[]> {
  const found = new Map<string, Newest>();
  const minT = now - LOOKBACK_MS;
  for (const matchers of selectors) {
    for (const series of await selectSeries({ matchers }, minT, now, { querier, turn })) {
      if (turn.isOver()) await turn.pause();
      const { t, v, length } = series.samples(minT, now);
      const last = length - 1;
      if (last < 0 || (Number.isNaN(v[last]!) && isStaleAt(wordsOf(v), last))) continue;
      found.set(labelsKey(series.labels), { labels: series.labels, t: t[last]!, v: v[last]! });
    }
  }
  const byName = Map.groupBy(found.values(), ({ labels }) => labelValue(labels, METRIC_NAME));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, all]) => all);
}

const exposition = (all: readonly Newest[], escaping: NameEscaping): WriteText =>
  function* (out) {
    let before = '';
    for (const { labels, t, v } of all) {
      const name = labelValue(labels, METRIC_NAME);
      if (name === '') continue;
      if (name !== before) writeText(out, `# TYPE ${nameText(name, escaping)} untyped\n`);
      before = name;
      writeText(out, `${seriesText(name, labels, escaping)} ${formatFloat(v)} ${t}\n`);
      yield;
    }
  };

/** Whoever scrapes is to keep `instance` as it is, so one without has an empty one. */
function seriesText(name: string, labels: Labels, escaping: NameEscaping): string {
  const own = labels.filter(([label]) => label !== METRIC_NAME);
  if (!own.some(([label]) => label === 'instance')) own.push(['instance', '']);
  const pairs = own.map(([label, value]) => `${nameText(label, escaping)}=${quoted(value)}`);
  const text = nameText(name, escaping);
  return isClassicName(text) ? `${text}{${pairs.join(',')}}` : `{${[text, ...pairs].join(',')}}`;
}

function nameText(name: string, escaping: NameEscaping): string {
  const text = escapeName(name, escaping);
  return isClassicName(text) ? text : quoted(text);
}

const quoted = (value: string) =>
  `"${value.replace(/[\\\n"]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`;
