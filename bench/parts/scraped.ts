import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { decodeLabels, METRIC_NAME, toRecord } from '../../src/model/labels.ts';
import { temporaryFolder } from './clean-up.ts';
import { type Engine, startReceivers } from './engines.ts';
import type { Received } from './receive.ts';
import { random } from './series.ts';
import { cadvisorLabels } from './write-requests.ts';

const INTERVAL_MS = 1_000;
// By then all series are known, and code that runs often is compiled.
const WARM_UP_SCRAPES = 15;
const WITHIN_MS = 60_000;
// Metrics whose values have a fraction, as every fourth of cAdvisor's.
const FRACTIONS = 4;

/** One target that all engines scrape, each by a path of its own; values change at every scrape, as counters do. */
async function startTarget(seriesCount: number) {
  const names = Array.from({ length: seriesCount }, (_, i) => {
    const {
      [METRIC_NAME]: name,
      job: _job,
      instance: _instance,
      ...labels
    } = toRecord(decodeLabels(cadvisorLabels(i)));
    const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
    return { name: name!, text: `${name}{${pairs.join()}}` };
  }).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const values = new Float64Array(seriesCount);
  const next = random(seriesCount);
  const scrapes = new Map<string, number>();
  const expose = () => {
    let text = '';
    for (let i = 0; i < seriesCount; i += 1) {
      const { name, text: series } = names[i]!;
      if (name !== names[i - 1]?.name) text += `# HELP ${name} What it counts.\n# TYPE ${name} counter\n`;
      const more = next() * 100;
      values[i]! += i % FRACTIONS === 0 ? more : Math.floor(more);
      text += `${series} ${values[i]}\n`;
    }
    return text;
  };
  const server = createServer((request, response) => {
    const packed = String(request.headers['accept-encoding']).includes('gzip');
    const type = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
    response.writeHead(200, packed ? { ...type, 'content-encoding': 'gzip' } : type);
    const text = expose();
    response.end(packed ? gzipSync(text, { level: 1 }) : text);
    scrapes.set(request.url!, (scrapes.get(request.url!) ?? 0) + 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    scrapes: (path: string) => scrapes.get(path) ?? 0,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const configOf = (address: string, name: string) => `scrape_configs:
- job_name: bench
  scrape_interval: ${INTERVAL_MS / 1000}s
  scrape_timeout: ${INTERVAL_MS / 1000}s
  metrics_path: /${name}
  static_configs: [{targets: ["${address}"]}]
`;

/** `rounds` scrapes of a target with `count` series by each engine, all at the same time. */
export async function scraped(count: number, rounds: number): Promise<readonly Received[]> {
  const folder = temporaryFolder();
  using target = await startTarget(count);
  let engines: readonly Engine[] = [];
  const until = async (reached: () => boolean) => {
    const end = performance.now() + WITHIN_MS + rounds * INTERVAL_MS * 10;
    while (!reached()) {
      if (performance.now() > end) throw new Error('the engines did not scrape often enough');
      await wait(20);
    }
  };
  const scrapesOf = ({ name }: Engine) => target.scrapes(`/${name}`);
  try {
    engines = await startReceivers(folder.path, (name) => configOf(target.address, name));
    await until(() => engines.every((engine) => scrapesOf(engine) >= WARM_UP_SCRAPES));
    const found = await Promise.all(
      engines.map(async (engine) => {
        const [from, before, bytes] = [scrapesOf(engine), engine.cpuSeconds(), engine.residentBytes()];
        await until(() => scrapesOf(engine) >= from + rounds);
        const spent = engine.cpuSeconds() - before;
        return { engine, spent, scrapes: scrapesOf(engine) - from, bytes };
      }),
    );
    return found.map(({ engine, spent, scrapes, bytes }) => ({
      engine: engine.name,
      cpuSecondsPerMillion: (spent * 1e6) / (count * scrapes),
      cpuMicrosecondsANewSeries: Number.NaN,
      emptyBytes: bytes,
      loadedBytes: engine.residentBytes(),
    }));
  } finally {
    for (const engine of engines) await engine.stop();
    folder.remove();
  }
}
