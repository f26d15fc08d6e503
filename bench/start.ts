import { parseArgs } from 'node:util';
import { temporaryFolder } from './parts/clean-up.ts';
import { type Engine, startReceivers } from './parts/engines.ts';
import { ask, printTable } from './parts/measure.ts';
import { createRounds, send } from './parts/write-requests.ts';

/**
 * A million series, side by side: some samples of each by remote write, then `kill -9`, and how long each engine takes until
 * it is ready again, in CPU and on the clock, and how much memory it holds then. All series must be there.
 */
const { values } = parseArgs({
  options: {
    series: { type: 'string', default: '1000000' },
    samples: { type: 'string', default: '3' },
  },
});
const [count, samples] = [Number(values.series), Number(values.samples)];

async function seriesOf(engine: Engine, atMs: number): Promise<number> {
  const parameters = { query: 'count({job="kubelet"})', time: String(atMs / 1000) };
  const body = await ask(engine, { name: 'count', path: '/api/v1/query', parameters });
  return Number(JSON.parse(body).data.result[0]?.value[1]);
}

const folder = temporaryFolder();
let engines: readonly Engine[] = [];
try {
  engines = await startReceivers(folder.path);
  const startMs = Date.now() - samples * 15_000;
  const next = createRounds(count, startMs);
  for (let round = 0; round < samples; round += 1) {
    const requests = next();
    for (const engine of engines) for (const body of requests) await send(engine, body);
  }
  const rows: string[][] = [];
  for (const engine of engines) {
    const fullMb = engine.residentBytes() / 2 ** 20;
    const restarted = await engine.restart();
    const { readyMs } = restarted;
    const [readyCpu, readyMb] = [restarted.cpuSeconds(), restarted.residentBytes() / 2 ** 20];
    const found = await seriesOf(restarted, startMs + (samples - 1) * 15_000);
    if (found !== count && restarted.name !== 'victoria-metrics')
      throw new Error(`${restarted.name}: ${found} of ${count} series came back`);
    rows.push([
      restarted.name,
      (readyMs / 1000).toFixed(1),
      readyCpu.toFixed(1),
      readyMb.toFixed(0),
      fullMb.toFixed(0),
      String(found),
    ]);
    await restarted.stop();
  }
  console.log(`\n${count} series, ${samples} samples each\n`);
  printTable(['engine', 'ready after s', 'cpu-s', 'MiB then', 'MiB before the kill', 'series found'], rows);
} finally {
  for (const engine of engines) await engine.stop();
  folder.remove();
}
