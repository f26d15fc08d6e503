import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { type Collector, createCollector } from '../../src/collector/collector.ts';
import { createStore } from '../../src/collector/tsdb/store.ts';
import { encodeLabels } from '../../src/model/labels.ts';
import { systemClock } from '../../src/util/clock.ts';
import { eventually } from './eventually.ts';
import { startPrometheus } from './prometheus.ts';
import { type RandomSeries, toOpenMetrics } from './random-promql.ts';

/** A request to the API of Prometheus. */
export interface ApiCall {
  readonly method: 'GET' | 'POST';
  /** Under /api/v1/, unless it begins with a slash. */
  readonly path: string;
  /** In the address for GET, as a form for POST. */
  readonly parameters?: readonly (readonly [name: string, value: string | number])[];
  /** The header, in which escaping of names is asked for. */
  readonly accept?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

/** Our collector and a real Prometheus with the same samples and rules. */
export interface BesidePrometheus {
  ask(call: ApiCall): Promise<{ readonly ours: ApiAnswer; readonly theirs: ApiAnswer }>;
  stop(): Promise<void>;
}

/** Starts both, and waits until both have evaluated every rule. Series come without stale markers. */
export async function startBesidePrometheus(
  series: readonly RandomSeries[],
  rulesText: string,
): Promise<BesidePrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-beside-'));
  const stops: (() => Promise<void>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const rules = join(folder, 'rules.yaml');
    writeFileSync(rules, rulesText);
    // Blocks made of a text have no stale markers.
    const known = series.map(({ labels, samples }) => ({
      labels,
      samples: samples.filter(({ v }) => v !== 'stale'),
    }));
    const prometheus = await startPrometheus(
      toOpenMetrics(known),
      [],
      `global: {scrape_interval: 15s}\nrule_files: [${JSON.stringify(rules)}]\n`,
    );
    stops.push(prometheus.stop);
    await fill(folder, known);
    const collector = collectorIn(folder, rules);
    stops.push(collector.stop);
    await collector.start();
    for (const url of [prometheus.url, collector.url()]) {
      await eventually(async () => {
        const { data } = (await (await fetch(`${url}/api/v1/rules`)).json()) as {
          data: { groups: { rules: { health: string }[] }[] };
        };
        return data.groups.every(({ rules }) => rules.every(({ health }) => health === 'ok'));
      });
    }
    return {
      async ask(call) {
        const [ours, theirs] = await Promise.all([send(collector.url(), call), send(prometheus.url, call)]);
        return { ours, theirs };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function send(url: string, { method, path, parameters = [], accept }: ApiCall): Promise<ApiAnswer> {
  const place = url + (path.startsWith('/') ? path : `/api/v1/${path}`);
  const form = new URLSearchParams(parameters.map(([name, value]) => [name, String(value)]));
  const query = form.size === 0 ? '' : `${path.includes('?') ? '&' : '?'}${form}`;
  const headers = accept === undefined ? {} : { accept };
  const answer = await (method === 'POST'
    ? fetch(place, { method, headers, body: form })
    : fetch(place + query, { headers }));
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
}

async function fill(dataDir: string, series: readonly RandomSeries[]): Promise<void> {
  const store = createStore({ path: join(dataDir, 'collector.db'), clock: systemClock });
  const appender = store.appender();
  for (const { labels, samples } of series) {
    const ref = appender.reference(encodeLabels(labels));
    for (const { t, v } of samples) {
      if (v === 'stale') appender.appendStale(ref, t);
      else appender.append(ref, t, v);
    }
  }
  const { rejected } = await appender.commit();
  if (rejected > 0) throw new Error(`the store refused ${rejected} samples`);
  await store.close();
}

function collectorIn(dataDir: string, rules: string): Collector {
  const root = resolve(import.meta.dirname, '../..');
  const anyPort = { host: '127.0.0.1', port: 0 };
  return createCollector({
    dataDir,
    listen: anyPort,
    otlpGrpc: anyPort,
    otlpHttp: anyPort,
    otlpOptional: true,
    externalUrl: 'http://localhost:7638',
    evaluationIntervalMs: 1000,
    retention: { timeMs: 15 * 24 * 3_600_000, bytes: 2 ** 31 },
    ruleFiles: [rules],
    webhooks: [],
    remoteWrite: [],
    tellTerminal: false,
    assets: { console: dataDir, dashboards: join(root, 'dashboards'), runbooks: join(root, 'runbooks') },
    version: '0.0.0',
    clock: systemClock,
    tracer: trace.getTracer('test'),
    logger: pino({ level: 'error' }, { write: () => {} }),
    say: () => {},
  });
}

/** Series of an answer come in no particular order. */
export function sorted(answer: { data?: { result?: unknown[] } | unknown[] }): unknown {
  const list = Array.isArray(answer.data) ? answer.data : answer.data?.result;
  const keyOf = (item: unknown) => JSON.stringify((item as { metric?: unknown } | null)?.metric ?? item);
  if (Array.isArray(list)) list.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return answer;
}
