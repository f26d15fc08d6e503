import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createStore } from '../../src/collector/tsdb/store.ts';
import { encodeLabels, type Labels, METRIC_NAME, toRecord } from '../../src/model/labels.ts';
import { systemClock } from '../../src/util/clock.ts';
import { findPart } from '../../test/support/parts.ts';
import { whenStopped } from './clean-up.ts';
import type { BenchSeries } from './series.ts';

/** A query engine in a process of its own, with data, on 127.0.0.1. */
export interface Engine {
  readonly name: 'podvitals' | 'prometheus' | 'victoria-metrics';
  readonly url: string;
  /** Parameters every query must have, so that nothing is answered from a result cache. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Resident memory, in bytes. */
  residentBytes(): number;
  /** User and system time of the process so far, in seconds; to 10 ms. */
  cpuSeconds(): number;
  /** How long its start took. */
  readonly readyMs: number;
  stop(): Promise<void>;
  /** `kill -9`, then the same again on the same data. */
  restart(): Promise<Engine>;
}

const TICKS_PER_SECOND = 100;
const STARTS_WITHIN_MS = 240_000;
const DAY_MS = 86_400_000;

/** Loads the same series into all three and starts them; those that are not installed are left out, aloud. */
export async function startEngines(all: readonly BenchSeries[], folder: string): Promise<readonly Engine[]> {
  const engines: Engine[] = [await startPodvitals(all, join(folder, 'podvitals'))];
  if (findPart('prometheus') && findPart('promtool')) {
    engines.push(await startPrometheus(all, join(folder, 'prometheus')));
  } else console.log('prometheus is not installed: left out');
  if (findPart('victoria-metrics')) engines.push(await startVictoriaMetrics(all, join(folder, 'victoria')));
  else console.log('victoria-metrics is not installed: left out');
  return engines;
}

/** What an engine is to scrape, if anything: Prometheus' `scrape_configs` in YAML, which all three read. */
type ScrapeConfigOf = (engine: Engine['name']) => string;

/** All three empty, and ready to take remote write and OTLP; `scrapes` is what each of them asks for. */
export async function startReceivers(folder: string, scrapes?: ScrapeConfigOf): Promise<readonly Engine[]> {
  const engines: Engine[] = [await launchPodvitals(join(folder, 'podvitals'), scrapes?.('podvitals'))];
  if (findPart('prometheus')) {
    const flags = ['--web.enable-remote-write-receiver'];
    engines.push(await launchPrometheus(join(folder, 'prometheus'), flags, scrapes?.('prometheus')));
  } else console.log('prometheus is not installed: left out');
  if (findPart('victoria-metrics'))
    engines.push(await launchVictoriaMetrics(join(folder, 'victoria'), scrapes?.('victoria-metrics')));
  else console.log('victoria-metrics is not installed: left out');
  return engines;
}

async function startPodvitals(all: readonly BenchSeries[], folder: string): Promise<Engine> {
  mkdirSync(folder, { recursive: true });
  await fillStore(all, join(folder, 'collector.db'));
  return launchPodvitals(folder);
}

export async function launchPodvitals(folder: string, scrapes?: string): Promise<Engine> {
  mkdirSync(folder, { recursive: true });
  const config = scrapes === undefined ? [] : [writeConfig(folder, scrapes)];
  const path = join(folder, 'collector.db');
  const port = await freePort();
  const server = join(import.meta.dirname, 'podvitals-server.ts');
  return start(
    'podvitals',
    process.execPath,
    [...COLLECTOR_FLAGS, ...nodeFlags(), server, path, String(port), ...config],
    port,
    '/-/ready',
    {},
    folder,
    COLLECTOR_ENVIRONMENT,
  );
}

// As `./podvitals collector` does.
const COLLECTOR_FLAGS = ['--no-parallel-scavenge', '--max-semi-space-size=8'];
const COLLECTOR_ENVIRONMENT = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536' };

/** `BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=/tmp/prof"` profiles the server. */
const nodeFlags = () => (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');

// As agents send: a request every so often with a few samples of each series.
const SAMPLES_A_COMMIT = 20;
const COMMITS_A_MAINTENANCE = 6;

export async function fillStore(all: readonly BenchSeries[], path: string): Promise<void> {
  const store = createStore({ path, clock: systemClock, retention: { timeMs: 60 * DAY_MS, bytes: 2 ** 40 } });
  const longest = all.reduce((most, { t }) => Math.max(most, t.length), 0);
  const keys = all.map(({ labels }) => encodeLabels(labels));
  for (let from = 0; from < longest; from += SAMPLES_A_COMMIT) {
    const appender = store.appender();
    for (let s = 0; s < all.length; s += 1) {
      const { t, v } = all[s]!;
      const ref = appender.reference(keys[s]!);
      for (let i = from; i < Math.min(t.length, from + SAMPLES_A_COMMIT); i += 1)
        appender.append(ref, t[i]!, v[i]!);
    }
    const { rejected } = await appender.commit();
    if (rejected > 0) throw new Error(`the store refused ${rejected} samples`);
    if ((from / SAMPLES_A_COMMIT) % COMMITS_A_MAINTENANCE === 0) await store.maintain();
  }
  await store.maintain();
  await store.close();
}

/** Long blocks load long series in a few passes; what a query costs depends little on it. */
export async function startPrometheus(
  all: readonly BenchSeries[],
  folder: string,
  longestBlock = '24h',
): Promise<Engine> {
  mkdirSync(folder, { recursive: true });
  const text = join(folder, 'samples.om');
  const data = join(folder, 'data');
  await writeLines(text, openMetrics(all));
  execFileSync(
    findPart('promtool')!,
    ['tsdb', 'create-blocks-from', 'openmetrics', `--max-block-duration=${longestBlock}`, text, data],
    { stdio: 'pipe' },
  );
  rmSync(text);
  return launchPrometheus(folder);
}

function writeConfig(folder: string, text: string): string {
  const path = join(folder, 'scrape.yml');
  writeFileSync(path, text);
  return path;
}

export async function launchPrometheus(
  folder: string,
  more: readonly string[] = [],
  scrapes = 'global: {scrape_interval: 15s}\n',
): Promise<Engine> {
  mkdirSync(folder, { recursive: true });
  const data = join(folder, 'data');
  const config = writeConfig(folder, scrapes);
  const port = await freePort();
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${data}`,
    '--storage.tsdb.retention.time=100y',
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
    ...more,
  ];
  return start('prometheus', findPart('prometheus')!, flags, port, '/-/ready', {}, folder);
}

async function launchVictoriaMetrics(folder: string, scrapes?: string): Promise<Engine> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const flags = [
    `-storageDataPath=${join(folder, 'data')}`,
    '-retentionPeriod=100y',
    `-httpListenAddr=127.0.0.1:${port}`,
    '-loggerLevel=ERROR',
    '-search.latencyOffset=0s',
    ...(scrapes === undefined ? [] : [`-promscrape.config=${writeConfig(folder, scrapes)}`]),
  ];
  const cached = { nocache: '1' };
  return start('victoria-metrics', findPart('victoria-metrics')!, flags, port, '/health', cached, folder);
}

export async function startVictoriaMetrics(all: readonly BenchSeries[], folder: string): Promise<Engine> {
  const engine = await launchVictoriaMetrics(folder);
  for (let from = 0; from < all.length; from += 50) {
    const body = all
      .slice(from, from + 50)
      .map(importLine)
      .join('\n');
    const response = await fetch(`${engine.url}/api/v1/import`, { method: 'POST', body });
    if (!response.ok) throw new Error(`victoria-metrics refused an import: ${await response.text()}`);
  }
  await fetch(`${engine.url}/internal/force_flush`);
  await fetch(`${engine.url}/internal/force_merge`);
  return engine;
}

const importLine = ({ labels, t, v }: BenchSeries) =>
  JSON.stringify({ metric: toRecord(labels), values: [...v], timestamps: [...t] });

function* openMetrics(all: readonly BenchSeries[]): Generator<string> {
  for (const { labels, t, v } of all) {
    const name = seriesName(labels);
    let text = '';
    for (let i = 0; i < t.length; i += 1) text += `${name} ${v[i]} ${t[i]! / 1000}\n`;
    yield text;
  }
  yield '# EOF\n';
}

function seriesName(labels: Labels): string {
  const { [METRIC_NAME]: name, ...rest } = toRecord(labels);
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `${name}{${pairs.join(',')}}`;
}

async function writeLines(path: string, parts: Iterable<string>): Promise<void> {
  const out = createWriteStream(path);
  for (const part of parts) if (!out.write(part)) await once(out, 'drain');
  out.end();
  await once(out, 'finish');
}

async function start(
  name: Engine['name'],
  command: string,
  flags: readonly string[],
  port: number,
  readyPath: string,
  parameters: Engine['parameters'],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Engine> {
  const child = spawn(command, flags, {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: folder,
    env: { ...process.env, ...environment },
  });
  const url = `http://127.0.0.1:${port}`;
  const forget = whenStopped(() => child.kill('SIGKILL'));
  const stop = async () => {
    await end(child);
    forget();
  };
  const began = performance.now();
  const deadline = began + STARTS_WITHIN_MS;
  for (;;) {
    const up = await fetch(`${url}${readyPath}`).then(
      (response) => response.ok,
      () => false,
    );
    if (up) break;
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`${name} did not start`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const readyMs = performance.now() - began;
  const pid = child.pid!;
  return {
    name,
    url,
    parameters,
    readyMs,
    stop,
    async restart() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      forget();
      return start(name, command, flags, port, readyPath, parameters, folder);
    },
    cpuSeconds: () => cpuSecondsOf(pid),
    residentBytes: () => residentBytesOf(pid),
  };
}

function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
