import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createDescriptors, descriptorLimit } from '../../../src/agent/stats/descriptors.ts';
import { createStatsReader, type StatsReader } from '../../../src/agent/stats/stats-reader.ts';
import { createFakeClock } from '../../../src/util/clock.ts';

const recorded = fileURLToPath(new URL('../host/kernel-files/', import.meta.url));
const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

function copyOf(version: 'v1' | 'v2'): string {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-stats-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(recorded, version), folder, { recursive: true });
  return folder;
}

function reading(cgroup: Readonly<Record<string, string>>, maxOpenFiles?: number): StatsReader {
  const reader = createStatsReader({ clock: createFakeClock(), ...(maxOpenFiles && { maxOpenFiles }) });
  cleanUps.push(() => reader.close());
  const container = { name: 'cart', id: 'c11', pid: 999_999_999, cgroup };
  reader.track({ uid: 'u11', hostNetwork: false, cgroup, containers: [container] });
  return reader;
}

const at = Date.UTC(2026, 0, 1);
const cpu = { usageSeconds: 11.5, userSeconds: 9, systemSeconds: 2.5 };
const memory = {
  usageBytes: 50_000_000,
  workingSetBytes: 45_000_000,
  rssBytes: 40_000_000,
  cacheBytes: 6_000_000,
  mappedFileBytes: 2_000_000,
  kernelBytes: 1_300_000,
  swapBytes: 4096,
  maxUsageBytes: 52_000_000,
  failures: 17,
  pageFaults: 1200,
  majorPageFaults: 12,
};

describe('usage on cgroup v2', () => {
  it('is read from one hierarchy', async () => {
    const { containers, pods } = await reading({ unified: copyOf('v2') }).tick();
    const { devices: _, ...usage } = containers.get('c11')!;
    expect(usage).toEqual({
      at,
      cpu,
      throttling: { periods: 300, throttledPeriods: 30, throttledSeconds: 1.25 },
      memory,
      oomKills: 2,
      processes: 0,
      openDescriptors: 0,
      openSockets: 0,
      threads: 13,
      pressure: {
        cpu: { someSeconds: 0.5 },
        memory: { someSeconds: 2, fullSeconds: 0 },
        io: { someSeconds: expect.closeTo(1.019831, 9), fullSeconds: expect.closeTo(0.000011, 9) },
      },
    });
    expect(pods.get('u11')).toEqual({
      at,
      cpuUsageSeconds: 11.5,
      memoryUsageBytes: 50_000_000,
      memoryWorkingSetBytes: 45_000_000,
    });
  });

  it('has no throttling without a quota', async () => {
    const folder = copyOf('v2');
    writeFileSync(join(folder, 'cpu.max'), 'max 100000\n');
    const { containers } = await reading({ unified: folder }).tick();
    expect(containers.get('c11')).not.toHaveProperty('throttling');
  });
});

describe('usage on cgroup v1', () => {
  it('is read from each controller; without a v2 hierarchy there is no pressure', async () => {
    const folder = copyOf('v1');
    const paths = { cpu: folder, cpuacct: folder, memory: folder, pids: folder, blkio: folder };
    const { containers } = await reading(paths).tick();
    const { devices: _, ...usage } = containers.get('c11')!;
    expect(usage).toEqual({
      at,
      cpu,
      memory,
      oomKills: 2,
      processes: 0,
      openDescriptors: 0,
      openSockets: 0,
      threads: 13,
      pidsLimit: 64,
    });
  });

  it('has no memory where the controller is not mounted', async () => {
    const folder = copyOf('v1');
    const usage = (await reading({ cpu: folder, cpuacct: folder }).tick()).containers.get('c11')!;
    expect(usage.cpu).toEqual(cpu);
    expect(usage).not.toHaveProperty('memory');
    expect(usage).not.toHaveProperty('oomKills');
  });
});

describe('a reader', () => {
  it('reads memory.stat again when usage has moved, though it is not due', async () => {
    const folder = copyOf('v2');
    const reader = reading({ unified: folder });
    const workingSet = async () => (await reader.tick()).containers.get('c11')!.memory!.workingSetBytes;
    expect(await workingSet()).toBe(45_000_000);
    for (let tick = 0; tick < 4; tick += 1) {
      const usage = 60_000_000 + tick * 10_000_000;
      writeFileSync(join(folder, 'memory.current'), `${usage}\n`);
      writeFileSync(join(folder, 'memory.stat'), `inactive_file ${usage - 11}\n`);
      expect(await workingSet()).toBe(11);
    }
  });

  it('has nothing of a container that is gone, and forgets it when it is no longer tracked', async () => {
    const folder = copyOf('v2');
    const reader = reading({ unified: folder });
    await reader.tick();
    reader.track({ uid: 'u11', hostNetwork: false, cgroup: { unified: folder }, containers: [] });
    expect(reader.latest().containers.size).toBe(0);
    reader.untrack('u11');
    expect(reader.latest().pods.size).toBe(0);
    expect((await reader.tick()).pods.size).toBe(0);
    expect(reader.openFiles).toBe(0);
  });

  it('follows a sandbox that is made after the pod is tracked', async () => {
    const reader = createStatsReader({ clock: createFakeClock() });
    cleanUps.push(() => reader.close());
    const pod = { uid: 'u12', hostNetwork: false, containers: [] };
    reader.track({ ...pod, cgroup: {} });
    expect((await reader.tick()).pods.get('u12')).toEqual({ at });
    reader.track({ ...pod, cgroup: { unified: copyOf('v2') } });
    expect((await reader.tick()).pods.get('u12')).toMatchObject({ cpuUsageSeconds: 11.5 });
  });

  it('never has more files open than it may, and reads the same with few as with many', async () => {
    const folder = copyOf('v2');
    const [few, many] = [reading({ unified: folder }, 3), reading({ unified: folder })];
    for (let tick = 0; tick < 6; tick += 1) {
      const [one, other] = [await few.tick(), await many.tick()];
      expect(one.containers.get('c11')).toEqual(other.containers.get('c11'));
      expect(few.openFiles).toBeLessThanOrEqual(3);
    }
    expect(many.openFiles).toBeGreaterThan(10);
  });

  it('gives one result to all who ask in the same tick', async () => {
    const reader = reading({ unified: copyOf('v2') });
    const [first, second] = [reader.tick(), reader.tick()];
    expect(first).toBe(second);
    await first;
  });

  it('reads at most fifty containers before others have their turn', async () => {
    const folder = copyOf('v2');
    const reader = createStatsReader({ clock: createFakeClock() });
    cleanUps.push(() => reader.close());
    for (let i = 0; i < 120; i += 1) {
      const containers = [{ name: 'c', id: `c${i}`, pid: 1, cgroup: { unified: folder } }];
      reader.track({ uid: `u${i}`, hostNetwork: true, cgroup: {}, containers });
    }
    const seen: number[] = [];
    const ticking = reader.tick();
    let done = false;
    void ticking.then(() => {
      done = true;
    });
    while (!done) {
      seen.push(reader.latest().containers.size);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen[0]).toBe(25);
    expect(Math.max(...seen.slice(1).map((size, i) => size - seen[i]!))).toBeLessThanOrEqual(50);
    expect(reader.latest().containers.size).toBe(120);
  });
});

describe('open descriptors', () => {
  it('are as many as half of what the process may have, less a reserve', () => {
    const limits = (soft: string) =>
      `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}   20000   files\n`;
    expect(descriptorLimit(limits('20000'))).toBe(9872);
    expect(descriptorLimit(limits('256'))).toBe(64);
    expect(descriptorLimit(limits('unlimited'))).toBeGreaterThan(1e9);
  });

  it('are taken from files that were not read for a while, not from those in use', () => {
    const folder = copyOf('v2');
    const descriptors = createDescriptors(2);
    cleanUps.push(() => descriptors.close());
    const [current, peak, stat] = ['memory.current', 'memory.peak', 'memory.stat'].map((name) =>
      descriptors.file(join(folder, name)),
    );
    const text = (file: typeof current) => {
      const length = descriptors.read(file!);
      return descriptors.buffer.toString('latin1', 0, length).split('\n')[0];
    };
    expect([text(current), text(peak), text(stat)]).toEqual(['50000000', '52000000', 'anon 40000000']);
    expect(descriptors.open).toBe(2);
    for (let round = 0; round < 10; round += 1) {
      descriptors.nextRound();
      expect(text(stat)).toBe('anon 40000000');
    }
    expect([text(current), text(peak), text(stat)]).toEqual(['50000000', '52000000', 'anon 40000000']);
    expect(descriptors.open).toBe(2);
  });

  it('give nothing, once and for all, for a file that is not there', () => {
    const descriptors = createDescriptors(8);
    const file = descriptors.file('/nowhere/memory.current');
    expect(descriptors.read(file)).toBe(-1);
    expect(file.gone).toBe(true);
    expect(descriptors.open).toBe(0);
  });
});
