import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createPodmanClient } from '../src/agent/engines/podman/podman-client.ts';
import type { PodView } from '../src/agent/pod/view.ts';
import { createCpuReader } from '../src/agent/stats/cpu-reader.ts';
import { createDescriptors, descriptorLimit } from '../src/agent/stats/descriptors.ts';
import { createMemoryReader } from '../src/agent/stats/memory-reader.ts';
import { createStatsReader } from '../src/agent/stats/stats-reader.ts';
import { systemClock } from '../src/util/clock.ts';
import { BUSYBOX_IMAGE, startPodman, type TestPodman } from '../test/support/podman.ts';
import { createTestPodmanSource } from '../test/support/podman-source.ts';
import { whenStopped } from './parts/clean-up.ts';
import { printTable } from './parts/measure.ts';

/**
 * What one reading of all containers' usage costs in CPU time: our reader of cgroup files, beside `podman stats
 * --no-stream` and a second of the stream of Podman's REST API, over the same containers. Needs root and Podman.
 */
const { values } = parseArgs({ options: { containers: { type: 'string', default: '10,50,100' } } });
const COUNTS = values.containers.split(',').map(Number);
const TICKS = 300;
const WARM_UP = 50;
const COMMANDS = 10;
const STREAM_MS = 10_000;
/** Two of the source's lists. */
const SOURCE_MS = 20_000;
const TICKS_PER_SECOND = 100;
const AT_ONCE = 4;

/** User and system time of all threads, seconds. */
const cpuSecondsOf = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};

async function fill(podman: TestPodman, from: number, to: number): Promise<void> {
  const names = Array.from({ length: to - from }, (_, index) => `bench-${from + index}`);
  while (names.length > 0) {
    const some = names.splice(0, AT_ONCE);
    await Promise.all(
      some.map((name) =>
        podman.podman('run', '-d', '--network', 'none', '--name', name, BUSYBOX_IMAGE, 'sleep', '100000'),
      ),
    );
  }
}

/** Everything as the agent reads it each second, with its cadence of dear files. */
async function ours(
  podman: TestPodman,
  count: number,
): Promise<{
  readonly whole: number;
  readonly same: number;
  readonly source: number;
  readonly read: number;
}> {
  const source = createTestPodmanSource({
    sockets: () => [{ path: podman.socket, user: 'root', named: true }],
    onTrouble: (message, error) => console.error(message, error),
    onError: (error) => console.error(error),
  });
  const stats = createStatsReader({ clock: systemClock });
  try {
    await source.start();
    while (source.views().pods.length < count) await wait(100);
    for (const { ref, containers, sandbox } of source.views().pods)
      stats.track({
        uid: ref.uid,
        ...(sandbox?.pid === undefined ? {} : { sandboxPid: sandbox.pid }),
        hostNetwork: false,
        cgroup: sandbox?.cgroup ?? {},
        containers: containers.flatMap(({ name, running }) => (running ? [{ name, ...running }] : [])),
      });
    for (let tick = 0; tick < WARM_UP; tick += 1) await stats.tick();
    const before = process.cpuUsage();
    for (let tick = 0; tick < TICKS; tick += 1) await stats.tick();
    const whole = secondsSince(before) / TICKS;
    const read = [...stats.latest().containers.values()].filter(({ cpu, memory }) => cpu && memory).length;
    return { whole, same: sameNumbers(source.views().pods), source: await idle(podman), read };
  } finally {
    stats.close();
    await source.close();
  }
}

/** What watching costs while nothing happens, CPU seconds a second: the source's own, and the service's that answers it. */
async function idle(podman: TestPodman): Promise<number> {
  const [before, service] = [process.cpuUsage(), cpuSecondsOf(podman.servicePid())];
  await wait(SOURCE_MS);
  return ((secondsSince(before) + cpuSecondsOf(podman.servicePid()) - service) / SOURCE_MS) * 1000;
}

const secondsSince = (before: NodeJS.CpuUsage) => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

/** The cgroups' CPU and memory alone, by the same readers: what `podman stats` shows of a container without a network. */
function sameNumbers(pods: readonly PodView[]): number {
  const descriptors = createDescriptors(descriptorLimit());
  const readers = pods
    .flatMap(({ containers }) => containers.flatMap(({ running }) => running ?? []))
    .map(
      ({ cgroup }) =>
        [createCpuReader(descriptors, cgroup), createMemoryReader(descriptors, cgroup)] as const,
    );
  const tick = (number: number) => {
    const due = { slow: number % 5 === 0, rare: false };
    for (const [cpu, memory] of readers) {
      cpu.read(due);
      memory.read(due);
    }
  };
  for (let number = 0; number < WARM_UP; number += 1) tick(number);
  const before = process.cpuUsage();
  for (let number = 0; number < TICKS; number += 1) tick(number);
  descriptors.close();
  return secondsSince(before) / TICKS;
}

/** CPU seconds of one `podman stats --no-stream`, its children included. */
function command(podman: TestPodman): number {
  const flags = `--root ${podman.folder}/root --runroot ${podman.folder}/run`;
  const script = `for i in $(seq ${COMMANDS}); do podman ${flags} stats --no-stream >/dev/null; done; times`;
  const env = { ...process.env, CONTAINERS_CONF: `${podman.folder}/containers.conf` };
  const times = execFileSync('sh', ['-c', script], { encoding: 'utf8', env });
  const [, children = ''] = times.trim().split('\n');
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    (match) => Number(match[1]) * 60 + Number(match[2]),
  );
  return seconds.reduce((sum, part) => sum + part, 0) / COMMANDS;
}

/** CPU seconds of the service for one second of its stream. */
async function stream(podman: TestPodman): Promise<number> {
  const client = createPodmanClient(podman.socket);
  const end = new AbortController();
  const done = client.stream(
    { path: '/containers/stats', query: { stream: true, interval: 1 }, signal: end.signal },
    () => {},
  );
  try {
    await wait(2000);
    const before = cpuSecondsOf(podman.servicePid());
    await wait(STREAM_MS);
    return ((cpuSecondsOf(podman.servicePid()) - before) / STREAM_MS) * 1000;
  } finally {
    end.abort();
    await done.catch(() => {});
    client.close();
  }
}

const podman = await startPodman();
whenStopped(() => podman.remove());
try {
  const rows: string[][] = [];
  let there = 0;
  for (const count of COUNTS) {
    await fill(podman, there, count);
    there = count;
    const own = await ours(podman, count);
    const cli = command(podman);
    const rest = await stream(podman);
    const us = (seconds: number) => ((seconds / count) * 1e6).toFixed(1);
    rows.push([
      String(own.read),
      us(own.whole),
      us(own.same),
      us(own.source),
      us(cli),
      us(rest),
      `${(cli / (own.whole + own.source)).toFixed(0)}x`,
      `${(cli / own.same).toFixed(0)}x`,
      `${(rest / own.same).toFixed(0)}x`,
    ]);
  }
  printTable(
    [
      'containers',
      'all readings us',
      'CPU and memory us',
      'source us',
      'podman stats us',
      'REST stream us',
      'podman stats / all + source',
      'podman stats / CPU and memory',
      'REST stream / CPU and memory',
    ],
    rows,
  );
} finally {
  await podman.remove();
}
