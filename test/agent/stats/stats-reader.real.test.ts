import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { readHostFacts } from '../../../src/agent/stats/host.ts';
import { createStatsReader, type StatsReader } from '../../../src/agent/stats/stats-reader.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { notRoot } from '../../support/parts.ts';
import { cgroupVersion, makeCgroup, type RealCgroup, until } from './real-cgroup.ts';

const SERVER = `
  const server = require('node:net').createServer().listen(8080, '127.0.0.1', () => {
    const refused = require('node:net').connect(9, '127.0.0.1');
    refused.on('error', () => console.log('ready'));
  });`;
// In a mount namespace of its own (`net` gives one): on the host it would hide every cgroup.
const LOOPBACK_UP = 'mount -t sysfs sysfs /sys && echo 0x9 > /sys/class/net/lo/flags && exec "$@"';

describe.skipIf(notRoot() || cgroupVersion === 0)('usage of real cgroups', () => {
  const cleanUps: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  const made = (): RealCgroup => {
    const cgroup = makeCgroup();
    cleanUps.push(() => cgroup.remove());
    return cgroup;
  };
  const reading = (): StatsReader => {
    const reader = createStatsReader({ clock: systemClock });
    cleanUps.push(() => reader.close());
    return reader;
  };
  const podOf = (cgroup: RealCgroup, pid: number, hostNetwork = true) => ({
    uid: 'u11',
    hostNetwork,
    cgroup: cgroup.paths,
    containers: [{ name: 'c', id: 'c11', pid, cgroup: cgroup.paths }],
  });

  it('shows CPU time, throttling by the quota, and that tasks waited for a CPU', async () => {
    const cgroup = made();
    if (cgroupVersion === 1) cgroup.write('cpu', 'cpu.cfs_quota_us', '10000');
    else cgroup.write('cpu', 'cpu.max', '10000 100000');
    const child = cgroup.start(['/bin/sh', '-c', 'while :; do :; done']);
    const reader = reading();
    reader.track(podOf(cgroup, child.pid!));
    const usage = await until(() => {
      const now = reader.readPod('u11').containers.get('c11')!;
      const { throttledPeriods = 0, throttledSeconds = 0 } = now.throttling ?? {};
      const throttled = throttledPeriods >= 3 && throttledSeconds > 0.1;
      return throttled && (now.pressure?.cpu?.someSeconds ?? 0) > 0 && now;
    });
    const { cpu, throttling, pressure } = usage;
    expect(cpu!.userSeconds! + cpu!.systemSeconds!).toBeCloseTo(cpu!.usageSeconds, 1);
    expect(throttling!.throttledPeriods).toBeLessThanOrEqual(throttling!.periods);
    expect(throttling!.throttledSeconds).toBeGreaterThan(0.1);
    expect(pressure!.memory!.fullSeconds).toBeGreaterThanOrEqual(0);
    expect(pressure!.io!.someSeconds).toBeGreaterThanOrEqual(0);
    expect(usage).toMatchObject({ processes: 1, threads: 1, oomKills: 0 });
  });

  it('shows memory that is used, and leaves out the limit on processes where there is none', async () => {
    const cgroup = made();
    const child = cgroup.start([
      process.execPath,
      '-e',
      'globalThis.kept = Buffer.alloc(48 << 20, 1); setInterval(() => {}, 1000)',
    ]);
    const reader = reading();
    reader.track(podOf(cgroup, child.pid!));
    const { memory, threads, processes, ...rest } = await until(() => {
      const now = reader.readPod('u11').containers.get('c11')!;
      return (now.memory?.rssBytes ?? 0) > 48 * 2 ** 20 && now;
    });
    expect(memory!.workingSetBytes).toBeGreaterThan(48 * 2 ** 20);
    expect(memory!.workingSetBytes).toBeLessThanOrEqual(memory!.usageBytes);
    expect(memory!.maxUsageBytes).toBeGreaterThanOrEqual(memory!.usageBytes * 0.9);
    expect(processes).toBe(1);
    expect(threads).toBeGreaterThan(4);
    expect(rest).not.toHaveProperty('pidsLimit');
    expect(reader.latest().pods.get('u11')!.memoryUsageBytes).toBeGreaterThan(48 * 2 ** 20);
  });

  it("shows the pod's own network: who listens, and connections that were refused", async () => {
    const cgroup = made();
    const child = cgroup.start(['/bin/sh', '-c', LOOPBACK_UP, 'sh', process.execPath, '-e', SERVER], {
      net: true,
    });
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    const reader = reading();
    reader.track(podOf(cgroup, child.pid!, false));
    const pod = reader.readPod('u11').pods.get('u11')!;
    expect(pod.listening).toEqual([{ address: '127.0.0.1', port: 8080 }]);
    expect(pod.tcp!.failedConnects).toBe(1);
    // Loopback is not traffic of the pod with others.
    expect(pod.interfaces).toEqual([]);
    const { openDescriptors, openSockets } = reader.latest().containers.get('c11')!;
    expect(openDescriptors).toBeGreaterThan(openSockets!);
    expect(openSockets).toBeGreaterThanOrEqual(1);
  });

  it("takes the host's network for nobody's own", async () => {
    const cgroup = made();
    const child = cgroup.start(['sleep', '60']);
    await until(() => cgroup.read('unified', 'cgroup.procs') !== '');
    const reader = reading();
    const server = createServer().listen(0, '127.0.0.1');
    cleanUps.push(() => server.close());
    for (const hostNetwork of [true, false]) {
      reader.track(podOf(cgroup, child.pid!, hostNetwork));
      const pod = reader.readPod('u11').pods.get('u11')!;
      expect(Object.keys(pod)).not.toContain('listening');
      expect(Object.keys(pod)).not.toContain('interfaces');
    }
  });

  it('is absent, not 0, once the cgroup is gone, and nothing throws', async () => {
    const cgroup = made();
    const child = cgroup.start(['sleep', '60']);
    const reader = reading();
    reader.track(podOf(cgroup, child.pid!));
    await until(async () => (await reader.tick()).containers.get('c11')!.processes === 1);
    await cgroup.remove();
    const { at: _, ...usage } = (await reader.tick()).containers.get('c11')!;
    expect(usage).toEqual({});
    reader.untrack('u11');
    expect(reader.openFiles).toBe(0);
  });

  it('stands beside that of the machine', () => {
    const node = reading().node()!;
    expect(node.cores).toBeGreaterThan(0);
    expect(node.memory.availableBytes).toBeLessThan(node.memory.totalBytes);
    expect(node.cpuSecondsByMode.user).toBeGreaterThan(0);
  });
});

describe('facts about the host', () => {
  it('are its kernel, processor and memory', async () => {
    const facts = await readHostFacts();
    expect(facts.memoryBytes).toBeGreaterThan(2 ** 28);
    expect(facts.cores).toBeGreaterThan(0);
    expect(facts.kernel).toMatch(/^\d+\./);
  });
});
