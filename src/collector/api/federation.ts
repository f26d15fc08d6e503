import { Readable } from 'node:stream';
import type { FastifyPluginAsync } from 'fastify';
import { type Labels, labelsKey, labelValue, METRIC_NAME } from '../../model/labels.ts';
import { isStaleAt, wordsOf } from '../../model/stale-marker.ts';
import type { Clock } from '../../util/clock.ts';
import { isCodedError } from '../../util/coded-error.ts';
import { selectSeries } from '../promql/evaluation/instant-selector.ts';
import { createTurn, type Turn } from '../promql/evaluation/turn.ts';
import { formatFloat } from '../promql/go-format.ts';
import type { Querier } from '../storage/storage.ts';
import { type Form, matchParameters, readForm } from './prometheus-parameters.ts';
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
      const form = readForm(request);
      const utf8 = /escaping=allow-utf-8/.test(request.headers.accept ?? '');
      const escaping = utf8 ? 'allow-utf-8' : 'underscores';
      let selectors: ReturnType<typeof matchParameters>;
      try {
        selectors = matchParameters(form as Form);
      } catch (error) {
        if (!isCodedError(error)) throw error;
        return reply.code(400).type('text/plain; charset=utf-8').send(`${error.message}\n`);
      }
      const turn = createTurn(clock, TIMEOUT_MS);
      const found = await newestOf(querier(), selectors, clock.now(), turn);
      const parts = inTurns(exposition(found, utf8), clock);
      return reply
        .type(`text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`)
        .send(Readable.from(parts, { objectMode: false }));
    });
  };
}

async function newestOf(
  querier: Querier,
  selectors: ReturnType<typeof matchParameters>,
  now: number,
  turn: Turn,
): Promise<Newest[]> {
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

const exposition = (all: readonly Newest[], utf8: boolean): WriteText =>
  function* (out) {
    let before = '';
    for (const { labels, t, v } of all) {
      const name = labelValue(labels, METRIC_NAME);
      if (name === '') continue;
      if (name !== before)
        writeText(out, `# TYPE ${utf8 ? quotedWhereNeeded(name) : escaped(name)} untyped\n`);
      before = name;
      writeText(out, `${seriesText(name, labels, utf8)} ${formatFloat(v)} ${t}\n`);
      yield;
    }
  };

/** Whoever scrapes is to keep `instance` as it is, so one without has an empty one. */
function seriesText(name: string, labels: Labels, utf8: boolean): string {
  const own = labels.filter(([label]) => label !== METRIC_NAME);
  if (!own.some(([label]) => label === 'instance')) own.push(['instance', '']);
  const pairs = own.map(
    ([label, value]) => `${utf8 ? quotedWhereNeeded(label) : escaped(label)}=${quotedValue(value)}`,
  );
  if (!utf8 || CLASSIC.test(name)) return `${escaped(name)}{${pairs.join(',')}}`;
  return `{${[quotedValue(name), ...pairs].join(',')}}`;
}

const CLASSIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const escaped = (name: string) => name.replace(/[^a-zA-Z0-9_:]/gu, '_').replace(/^(?=\d)/, '_');
const quotedWhereNeeded = (name: string) => (CLASSIC.test(name) ? name : quotedValue(name));
const quotedValue = (value: string) =>
  `"${value.replace(/[\\\n"]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`;
