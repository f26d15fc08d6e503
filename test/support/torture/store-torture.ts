import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../../src/journal/journal.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { messageOf } from '../../../src/util/coded-error.ts';
import { createRandom, type Random } from '../random.ts';
import { startScrapeTarget } from '../scrape-target.ts';
import type { CollectorNews, StartOrder } from './collector-process.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { createRunningTime, type RunningTime } from './running-time.ts';
import {
  type Connections,
  connect,
  type Doors,
  recordWriter,
  sampleWriter,
  TORTURED,
  type Writer,
} from './writers.ts';

export interface TortureOptions {
  readonly rounds: number;
  readonly seed: number;
  /** A line now and then for whoever waits. */
  readonly say?: (line: string) => void;
}

export interface StoreTortureOutcome {
  readonly rounds: number;
  readonly kills: number;
  /** Of them, before the collector was ready. */
  readonly killsWhileStarting: number;
  readonly samples: number;
  readonly events: number;
  readonly lives: number;
  /** Scraped and recorded samples that were seen by a query. */
  readonly seen: number;
  readonly medianStartMs: number;
  /** Empty when nothing acknowledged was lost, nothing doubled or invented, and every start succeeded. */
  readonly violations: readonly string[];
  /** Where the data is, when something was violated. */
  readonly dataDir?: string;
}

// A minute of the store's life a second: maintenance and rules run each second, chunks settle after ten.
const SPEED = 60;
const MINUTE_MS = 60_000;
const SCRAPED = 'torture_scraped';
const RECORDED = 'torture:written:sum';
const MOST_BATCHES = 120;
// On a machine that has no time for it, a round is over with what came.
const LONGEST_LOAD_MS = 20_000;
const CHECK_ALL_EVERY = 50;
const SEEN_WITHIN_MS = 5 * MINUTE_MS;

/**
 * Kills a collector with SIGKILL at random moments while it takes remote write, OTLP by gRPC and HTTP, scrapes and
 * evaluates rules, starts it again on the same data, and compares what it has with what it acknowledged. The kills'
 * moments and kinds follow from the seed.
 */
export async function tortureStore(options: TortureOptions): Promise<StoreTortureOutcome> {
  const random = createRandom(options.seed);
  const time = createRunningTime(Date.now(), SPEED);
  const began = time.now();
  const dataDir = mkdtempSync(join(tmpdir(), 'podvitals-torture-'));
  const doors = await ownPorts(random);
  const ledgers = {
    samples: createLedger('samples'),
    seen: createLedger('samples that were seen'),
    events: createLedger('events'),
    lives: createLedger('lives'),
  };
  const troubles: string[] = [];
  const violations = () => [
    ...troubles,
    ...Object.values(ledgers).flatMap((ledger: Ledger) => ledger.violations),
  ];
  let scraped = 0;
  const target = await startScrapeTarget({
    '/metrics': (_request, response) => {
      scraped += 1;
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`${SCRAPED} ${scraped}\n`);
    },
  });
  const config = writeConfig(dataDir, doors, target.address);
  const writers: readonly Writer[] = [
    sampleWriter('torture_write_a', 'remote-write', ledgers.samples),
    sampleWriter('torture_write_b', 'remote-write', ledgers.samples),
    sampleWriter('torture_grpc', 'grpc', ledgers.samples),
    sampleWriter('torture_http', 'http', ledgers.samples),
    recordWriter('grpc', 'grpc', ledgers),
    recordWriter('http', 'http', ledgers),
  ];
  const load = createLoad(writers, time, troubles);
  const startMs: number[] = [];
  let killsWhileStarting = 0;
  let standby = spawnCollector(config);
  let rounds = 0;
  try {
    for (; rounds < options.rounds && violations().length === 0; rounds += 1) {
      const collector = standby;
      await collector.loaded;
      time.run();
      const told = performance.now();
      collector.start({ nowMs: time.now(), speed: SPEED });
      standby = spawnCollector(config);
      const early = random.chance(0.15);
      const jitterMs = random.integer(0, early ? 400 : 30);
      const batches = random.integer(0, MOST_BATCHES);
      if (early) {
        killsWhileStarting += 1;
        await pause(jitterMs);
      } else {
        const failed = await collector.started;
        if (failed !== undefined) {
          troubles.push(`round ${rounds}: the collector did not start: ${failed}`);
          break;
        }
        startMs.push(performance.now() - told);
        const whole = (rounds + 1) % CHECK_ALL_EVERY === 0;
        await check(doors, ledgers, whole ? began : time.now() - 10 * MINUTE_MS, time.now());
        const connections = connect(doors);
        load.run(connections);
        const looking = look(doors, ledgers.seen, time);
        await load.taken(batches);
        await pause(jitterMs);
        await Promise.all([collector.kill(), looking.stop()]);
        await load.stop();
        await connections.close();
      }
      await collector.kill();
      time.stop();
      if ((rounds + 1) % CHECK_ALL_EVERY === 0)
        options.say?.(
          `round ${rounds + 1}: ${ledgers.samples.acknowledged} samples and ${ledgers.events.acknowledged} events acknowledged, nothing lost, nothing doubled`,
        );
    }
    if (violations().length === 0) {
      await standby.loaded;
      time.run();
      standby.start({ nowMs: time.now(), speed: SPEED });
      const failed = await standby.started;
      if (failed === undefined) await check(doors, ledgers, began, time.now());
      else troubles.push(`the collector did not start: ${failed}`);
      await standby.end();
      troubles.push(...fileTroubles(dataDir));
    }
  } finally {
    await standby.kill();
    await target.close();
    if (violations().length === 0) rmSync(dataDir, { recursive: true, force: true });
  }
  return {
    rounds,
    kills: rounds,
    killsWhileStarting,
    samples: ledgers.samples.acknowledged,
    seen: ledgers.seen.acknowledged,
    events: ledgers.events.acknowledged,
    lives: ledgers.lives.acknowledged,
    medianStartMs: startMs.sort((a, b) => a - b)[startMs.length >> 1] ?? Number.NaN,
    violations: violations(),
    ...(violations().length > 0 && { dataDir }),
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Beneath the ports that the kernel gives to connections, so that nobody takes them while the collector is dead. */
async function ownPorts(random: Random): Promise<Doors> {
  const own = async (): Promise<number> => {
    for (;;) {
      const port = 20_000 + ((random.integer(0, 9_999) + process.pid) % 10_000);
      const server = createServer();
      const free = await new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false));
        server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
      });
      if (free) return port;
    }
  };
  return { collector: await own(), otlpGrpc: await own(), otlpHttp: await own() };
}

function writeConfig(dataDir: string, doors: Doors, target: string): string {
  const rules = join(dataDir, 'rules.yaml');
  writeFileSync(
    rules,
    JSON.stringify({
      groups: [
        {
          name: 'torture',
          interval: '15s',
          rules: [
            { record: RECORDED, expr: 'sum(torture_write_a)' },
            { alert: 'TortureGoesOn', expr: `${RECORDED} > 0`, for: '1m' },
          ],
        },
      ],
    }),
  );
  const path = join(dataDir, 'podvitals.yaml');
  writeFileSync(
    path,
    JSON.stringify({
      dataDir,
      node: 'torture',
      collector: {
        listen: `127.0.0.1:${doors.collector}`,
        otlpGrpc: `127.0.0.1:${doors.otlpGrpc}`,
        otlpHttp: `127.0.0.1:${doors.otlpHttp}`,
        rules: [rules],
        scrape_configs: [
          {
            job_name: 'torture',
            scrape_interval: '15s',
            scrape_timeout: '15s',
            static_configs: [{ targets: [target] }],
          },
        ],
      },
    }),
  );
  return path;
}

interface CollectorProcess {
  readonly loaded: Promise<void>;
  /** Why it did not start, or undefined once it is ready. */
  readonly started: Promise<string | undefined>;
  start(order: StartOrder): void;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end. */
  end(): Promise<void>;
}

function spawnCollector(config: string): CollectorProcess {
  const child: ChildProcess = fork(join(import.meta.dirname, 'collector-process.ts'), [config], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'podvitals-torture-compiled') },
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const exit = once(child, 'exit');
  const loaded = Promise.withResolvers<void>();
  const started = Promise.withResolvers<string | undefined>();
  child.on('message', (news: CollectorNews) => {
    if (news === 'loaded') loaded.resolve();
    else started.resolve(news === 'ready' ? undefined : news.failed);
  });
  void exit.then(([code, signal]) => {
    loaded.resolve();
    started.resolve(`it ended (${code ?? signal}): ${said}`);
  });
  const endBy = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exit;
  };
  return {
    loaded: loaded.promise,
    started: started.promise,
    start: (order) => void child.send(order),
    kill: () => endBy('SIGKILL'),
    end: () => endBy('SIGTERM'),
  };
}

/** All writers at once, each sending batch after batch; what is not taken when it stops is sent again at the next run. */
function createLoad(writers: readonly Writer[], time: RunningTime, troubles: string[]) {
  const pending = writers.map((writer) => ({
    writer,
    batch: undefined as ReturnType<Writer> | undefined,
    tries: 0,
  }));
  let stopped = true;
  let running: Promise<unknown> = Promise.resolve();
  let taken = 0;

  const write = async (one: (typeof pending)[number], connections: Connections) => {
    while (!stopped) {
      one.batch ??= one.writer(time.now());
      one.tries += 1;
      const outcome = await one.batch.send(connections);
      if (outcome.kind === 'retry') {
        await pause(5);
        continue;
      }
      taken += 1;
      if (outcome.kind === 'accepted' && outcome.rejected === 0) one.batch.acknowledge();
      // What was stored long before the answer got lost may not be taken again; the ledger knows that it was sent.
      else if (one.tries === 1) troubles.push(`refused at the first try: ${outcome.message}`);
      one.batch = undefined;
      one.tries = 0;
      await pause(10);
    }
  };

  return {
    run(connections: Connections) {
      stopped = false;
      taken = 0;
      running = Promise.all(pending.map((one) => write(one, connections)));
    },
    /** Resolves when so many batches were taken since `run`, or it takes too long. */
    async taken(count: number) {
      const end = performance.now() + LONGEST_LOAD_MS;
      while (taken < count && performance.now() < end) await pause(2);
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}

/** Looks at what is scraped and recorded as it comes: what was seen once must not go away. */
function look(doors: Doors, seen: Ledger, time: RunningTime): { stop(): Promise<void> } {
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      for (const name of [SCRAPED, RECORDED]) {
        const found = await samplesOf(doors, name, time.now() - SEEN_WITHIN_MS, time.now()).catch(() => []);
        for (const { key, samples } of found)
          for (const [t, value] of samples) {
            seen.send(key, t, value);
            seen.acknowledge(key, t);
          }
      }
      await pause(100);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
    },
  };
}

async function check(
  doors: Doors,
  ledgers: Readonly<Record<'samples' | 'seen' | 'events' | 'lives', Ledger>>,
  fromMs: number,
  toMs: number,
): Promise<void> {
  const within = (t: number | string) => Number(t) >= fromMs && Number(t) <= toMs;
  const found = new Map<string, (readonly [number, string])[]>();
  const stretch = 6 * 60 * MINUTE_MS;
  for (let from = fromMs; from <= toMs; from += stretch)
    for (const { key, samples } of await samplesOf(
      doors,
      'torture_.+',
      from,
      Math.min(toMs, from + stretch - 1),
    ))
      found.set(key, [...(found.get(key) ?? []), ...samples]);
  for (const key of ledgers.samples.keys) ledgers.samples.check(key, found.get(key) ?? [], within);
  for (const name of [SCRAPED, RECORDED]) {
    const now = await samplesOf(doors, name, fromMs, toMs);
    for (const { key, samples } of now) {
      for (const [t, value] of samples) ledgers.seen.send(key, t, value);
      ledgers.seen.check(key, samples, within);
    }
    for (const key of ledgers.seen.keys)
      if (key.startsWith(name) && !now.some((one) => one.key === key)) ledgers.seen.check(key, [], within);
    const values = now.flatMap(({ samples }) => samples.map(([, value]) => value));
    if (name === SCRAPED && new Set(values).size !== values.length)
      throw new Error('a scrape is in the store twice');
  }
  await checkRecords(doors, ledgers, fromMs, toMs);
}

/** Of all pods when everything is looked at, else of the newest two of each writer. */
async function checkRecords(
  doors: Doors,
  { events, lives }: Readonly<Record<'events' | 'lives', Ledger>>,
  fromMs: number,
  toMs: number,
): Promise<void> {
  const pods = [...events.keys];
  const whole = toMs - fromMs > 11 * MINUTE_MS;
  for (const pod of whole ? pods : pods.slice(-4)) {
    const found = await items<{ id: string; message: string }>(
      doors,
      `/api/events?namespace=${TORTURED}&pod=${pod}&limit=10000`,
    );
    events.check(
      pod,
      found.map(({ id, message }) => [id, message]),
    );
    if (![...lives.keys].includes(pod)) continue;
    const lived = await items<{ id: string; attempt: number }>(
      doors,
      `/api/pods/${TORTURED}/${pod}/lives?limit=1000`,
    );
    lives.check(
      pod,
      lived.map(({ id, attempt }) => [id, String(attempt)]),
    );
  }
}

async function get(doors: Doors, path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${doors.collector}${path}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

const items = async <Item>(doors: Doors, path: string) =>
  ((await get(doors, path)) as { readonly items: readonly Item[] }).items;

interface FoundSeries {
  readonly key: string;
  readonly samples: (readonly [t: number, value: string])[];
}

/** Raw samples, both ends included. */
async function samplesOf(doors: Doors, name: string, fromMs: number, toMs: number): Promise<FoundSeries[]> {
  const range = Math.max(1, toMs - fromMs + 1);
  const query = encodeURIComponent(`{__name__=~"${name}"}[${range}ms]`);
  const answer = (await get(doors, `/api/v1/query?query=${query}&time=${toMs / 1000}`)) as {
    readonly data: {
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>;
        readonly values: readonly (readonly [number, string])[];
      }[];
    };
  };
  return answer.data.result.map(({ metric, values }) => ({
    key: `${metric.__name__}{${metric.series ?? ''}}`,
    samples: values.map(([seconds, value]) => [Math.round(seconds * 1000), value] as const),
  }));
}

function fileTroubles(dataDir: string): readonly string[] {
  try {
    const journal = openJournal(join(dataDir, 'collector.db'), { clock: systemClock, schemas: [] });
    const found = journal.check();
    void journal.close();
    return found.map((line) => `the file is damaged: ${line}`);
  } catch (error) {
    return [`the file cannot be opened: ${messageOf(error)}`];
  }
}
