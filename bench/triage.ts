import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { PodEvent } from '../src/model/event.ts';
import { freePorts, startPodvitals, temporaryDataDir, until } from '../test/support/podvitals.ts';
import { temporaryFolder, whenStopped } from './parts/clean-up.ts';
import { printTable } from './parts/measure.ts';

/**
 * From the death of a container to its complete verdict, committed and told by the collector: one pod that crashes,
 * then 100 at once. Agent and collector are the two halves of one `up`. All pods wait for a file lock, and end when it
 * is released. Needs root and flock(1).
 */
const COUNTS = process.argv[2] === undefined ? [1, 10, 100] : [Number(process.argv[2])];

const pods = (count: number, lock: string) =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `crash-${index}`, namespace: 'bench' },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'main',
            image: 'host',
            command: ['sh', '-c', `flock -s ${lock} true; echo 'FATAL: PAYMENT_URL is not set' >&2; exit 1`],
          },
        ],
      },
    }),
  ).join('\n---\n');

async function measure(count: number): Promise<readonly string[]> {
  const folder = temporaryFolder();
  const data = temporaryDataDir();
  const forgets = [whenStopped(() => data.remove())];
  const lock = join(folder.path, 'lock');
  openSync(lock, 'w');
  const holder = spawn('flock', ['-x', lock, 'sleep', 'infinity'], { stdio: 'ignore', detached: true });
  forgets.push(whenStopped(() => process.kill(-holder.pid!, 'SIGKILL')));
  const file = join(folder.path, 'pods.yaml');
  writeFileSync(file, pods(count, lock));
  await wait(200);
  const podvitals = await startPodvitals({ dataDir: data.path, ports: await freePorts(), files: [file] });
  forgets.push(whenStopped(() => podvitals.stop()));
  try {
    await until('all pods run', 300_000, async () => {
      const { items } = await podvitals.json<{ items: { status: { phase: string } }[] }>('/api/pods');
      return items.filter(({ status }) => status.phase === 'Running').length === count;
    });
    await wait(5000);
    const latencies: number[] = [];
    const cpuBefore = cpuMs(podvitals.process.pid!);
    const told = watchDeaths(podvitals.url, count, (latencyMs) => latencies.push(latencyMs));
    await wait(500);
    process.kill(-holder.pid!, 'SIGKILL');
    const wrong = await told;
    const cpu = cpuMs(podvitals.process.pid!) - cpuBefore;
    latencies.sort((a, b) => a - b);
    const at = (share: number) => String(Math.round(latencies[Math.ceil(latencies.length * share) - 1]!));
    return [String(count), at(0.5), at(0.9), at(0.99), at(1), String(cpu), String(wrong)];
  } finally {
    try {
      process.kill(-holder.pid!, 'SIGKILL');
    } catch {
      // It has been ended to begin.
    }
    await podvitals.stop();
    for (const forget of forgets) forget();
    data.remove();
    folder.remove();
  }
}

/** What a process has used, all threads; a tick is 10 ms. Source: proc(5) */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resolves with the number of verdicts that were not MissingConfig, certain. */
async function watchDeaths(
  url: string,
  count: number,
  onDeath: (latencyMs: number) => void,
): Promise<number> {
  const response = await fetch(`${url}/api/events?watch=1`);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let [left, rest, wrong] = [count, '', 0];
  while (left > 0) {
    const { value, done } = await reader.read();
    const now = Date.now();
    if (done) throw new Error('the stream of events ended');
    const lines = (rest + value).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      const event = JSON.parse(line.slice(5)) as PodEvent;
      if (event.reason !== 'Died') continue;
      onDeath(now - event.at);
      left -= 1;
      if (event.details?.cause !== 'MissingConfig' || event.details.confidence !== 'certain') wrong += 1;
    }
  }
  await reader.cancel();
  return wrong;
}

const rows: (readonly string[])[] = [];
for (const count of COUNTS) rows.push(await measure(count));
printTable(
  ['pods at once', 'p50 ms', 'p90 ms', 'p99 ms', 'longest ms', 'CPU ms', 'wrong'],
  rows.map((row) => [...row]),
);
