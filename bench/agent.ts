import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { printTable } from './parts/measure.ts';

/**
 * What the agent alone costs beside 10 and 100 pods of `sleep`: memory and CPU of its process once it is at rest, and
 * how long it takes from the start of the agent until all run. Needs root.
 */
const COUNTS = [10, 100];
const REST_MS = 15_000;
const MEASURED_MS = 30_000;
const TICKS_PER_SECOND = 100;
const root = join(import.meta.dirname, '..');

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

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly creationTimestamp: string };
    readonly status: { readonly phase: string };
  }[];
}

const runningPods = (dataDir: string): number => {
  const get = ['get', 'pods', '-n', 'bench', '-o', 'json', '--data-dir', dataDir];
  const text = execFileSync(join(root, 'podvitals'), get, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return (JSON.parse(text) as PodList).items.filter(({ status }) => status.phase === 'Running').length;
};

async function untilRunning(agent: ChildProcess, dataDir: string, count: number): Promise<void> {
  const end = performance.now() + 120_000;
  for (;;) {
    if (agent.exitCode !== null) throw new Error(`the agent ended with ${agent.exitCode}`);
    try {
      if (runningPods(dataDir) === count) return;
    } catch {
      // Its control socket is not open yet.
    }
    if (performance.now() > end) throw new Error('the pods did not come to run');
    await wait(250);
  }
}

async function measure(count: number): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-bench-'));
  const file = join(folder, 'pods.yaml');
  writeFileSync(file, manifest(count));
  const dataDir = join(folder, 'data');
  const args = ['agent', file, '--data-dir', dataDir, '--agent-listen', '127.0.0.1:0'];
  const agent = spawn(join(root, 'podvitals'), args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  try {
    const begun = performance.now();
    await untilRunning(agent, dataDir, count);
    const startedMs = performance.now() - begun;
    await wait(REST_MS);
    const pid = agent.pid!;
    const before = cpuTicks(pid);
    const from = performance.now();
    await wait(MEASURED_MS);
    const cores = (cpuTicks(pid) - before) / TICKS_PER_SECOND / ((performance.now() - from) / 1000);
    return [
      String(count),
      (rssBytes(pid) / 2 ** 20).toFixed(0),
      (rssBytes(pid) / count / 1024).toFixed(0),
      (cores * 100).toFixed(2),
      ((cores * 1e6) / count).toFixed(0),
      startedMs.toFixed(0),
    ];
  } finally {
    agent.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

const rows: (readonly string[])[] = [];
for (const count of COUNTS) rows.push(await measure(count));
printTable(
  ['pods', 'RSS MiB', 'RSS KiB / pod', 'CPU % of a core', 'CPU us / pod and s', 'all running after ms'],
  rows.map((row) => [...row]),
);
