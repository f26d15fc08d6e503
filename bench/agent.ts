import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { findDebrisOfPods } from '../test/support/debris.ts';
import { temporaryFolder, whenStopped } from './parts/clean-up.ts';
import { printTable } from './parts/measure.ts';

/**
 * Pods of `sleep`, started, watched and stopped: what the agent alone costs beside them, at rest, while it sends
 * everything by OTLP every 15 seconds, how long the start and the end of all take, and what is left behind. Needs root.
 * `--installed`: as from the package, what `npm run build` made; else from the sources.
 */
const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '10,100,200' },
    rest: { type: 'string', default: '20' },
    measured: { type: 'string', default: '60' },
    installed: { type: 'boolean', default: false },
  },
});
const COUNTS = values.pods.split(',').map(Number);
const [restMs, measuredMs] = [Number(values.rest) * 1000, Number(values.measured) * 1000];
const WITHIN_MS = 600_000;
const TICKS_PER_SECOND = 100;
const root = join(import.meta.dirname, '..');

/** The launcher as it stands in the package, beside no sources. */
function install(folder: string): string {
  if (!existsSync(join(root, 'build/cli/main.js'))) throw new Error('first: npm run build');
  for (const part of ['build', 'node_modules']) symlinkSync(join(root, part), join(folder, part));
  copyFileSync(join(root, 'podvitals'), join(folder, 'podvitals'));
  return join(folder, 'podvitals');
}

const manifest = (count: number) =>
  Array.from(
    { length: count },
    (_, index) => `apiVersion: v1
kind: Pod
metadata: {name: sleep-${index}, namespace: bench}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: host, command: [sleep, infinity]}]
`,
  ).join('---\n');

const cpuTicks = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
};
const rssBytes = (pid: number) =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

/** Takes whatever is sent to it. */
async function startSink(): Promise<{ readonly url: string; readonly bytes: () => number; close(): void }> {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, bytes: () => bytes, close: () => server.closeAllConnections() };
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly uid: string };
    readonly status: { readonly phase: string };
  }[];
}

async function podsOf(dataDir: string): Promise<PodList['items']> {
  const get = ['get', 'pods', '-n', 'bench', '-o', 'json', '--data-dir', dataDir];
  const { stdout } = await promisify(execFile)(join(root, 'podvitals'), get, { maxBuffer: 1 << 28 });
  return (JSON.parse(stdout) as PodList).items;
}

async function untilRunning(agent: ChildProcess, dataDir: string, count: number): Promise<PodList['items']> {
  const end = performance.now() + WITHIN_MS;
  for (;;) {
    if (agent.exitCode !== null) throw new Error(`the agent ended with ${agent.exitCode}`);
    // Its control socket may not be open yet.
    const pods = await podsOf(dataDir).catch(() => []);
    if (pods.filter(({ status }) => status.phase === 'Running').length === count) return pods;
    if (performance.now() > end) throw new Error('the pods did not come to run');
    await wait(1000);
  }
}

async function measure(count: number, sink: { readonly url: string }): Promise<readonly string[]> {
  const folder = temporaryFolder();
  const file = join(folder.path, 'pods.yaml');
  writeFileSync(file, manifest(count));
  const dataDir = join(folder.path, 'data');
  const args = ['agent', file, '--data-dir', dataDir, '--agent-listen', '127.0.0.1:0'];
  const env = {
    ...process.env,
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_TRACES_EXPORTER: 'none',
  };
  const podvitals = values.installed ? install(folder.path) : join(root, 'podvitals');
  const agent = spawn(podvitals, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  const end = () => {
    agent.kill('SIGINT');
    return ended;
  };
  const forget = whenStopped(end);
  try {
    const begun = performance.now();
    const pods = await untilRunning(agent, dataDir, count);
    const startedMs = performance.now() - begun;
    const startCpu = cpuTicks(agent.pid!) / TICKS_PER_SECOND;
    await wait(restMs);
    const pid = agent.pid!;
    const before = cpuTicks(pid);
    const from = performance.now();
    await wait(measuredMs);
    const cores = (cpuTicks(pid) - before) / TICKS_PER_SECOND / ((performance.now() - from) / 1000);
    const rss = rssBytes(pid);
    const asked = performance.now();
    await end();
    const stoppedMs = performance.now() - asked;
    const left = findDebrisOfPods(
      dataDir,
      pods.map(({ metadata }) => metadata.uid),
    );
    for (const line of left) console.error(`left behind: ${line}`);
    return [
      String(count),
      (rss / 2 ** 20).toFixed(0),
      (cores * 100).toFixed(2),
      ((cores * 1e6) / count).toFixed(0),
      (startedMs / 1000).toFixed(1),
      ((startCpu * 1000) / count).toFixed(0),
      (stoppedMs / 1000).toFixed(1),
      String(left.length),
      loadavg()[0]!.toFixed(0),
    ];
  } finally {
    await end();
    forget();
    folder.remove();
  }
}

const sink = await startSink();
const rows: (readonly string[])[] = [];
for (const count of COUNTS) rows.push(await measure(count, sink));
printTable(
  [
    'pods',
    'RSS MiB',
    'CPU % of a core',
    'CPU us / pod and s',
    'all running after s',
    'CPU ms a start',
    'all gone after s',
    'left behind',
    'load',
  ],
  rows.map((row) => [...row]),
);
if (sink.bytes() === 0) throw new Error('nothing was sent');
sink.close();
process.exit(0);
