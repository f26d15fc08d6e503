import { describe, expect, it } from 'vitest';
import { parseOomKills } from '../../../src/agent/host/cgroup.ts';
import {
  type CgroupLimits,
  type CgroupWrite,
  cpuWeight,
  v1Writes,
  v2Writes,
} from '../../../src/agent/host/cgroup-limits.ts';
import { parseMemoryEvents } from '../../../src/agent/host/cgroup-statistics.ts';

const print = (writes: readonly CgroupWrite[]) => writes.map(({ file, value }) => `${file}=${value}`);
const LIMITS: CgroupLimits = { memoryBytes: 11_000_000, cpuCores: 0.25, cpuRequestCores: 0.1, pids: 12 };

describe('limits of a cgroup', () => {
  it('become these files on v1', () => {
    expect(print(v1Writes(LIMITS))).toEqual([
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=25000',
      'cpu.shares=102',
      'memory.limit_in_bytes=11000000',
      'memory.memsw.limit_in_bytes=11000000',
      'pids.max=12',
    ]);
  });

  it('become these files on v2', () => {
    expect(print(v2Writes(LIMITS, true))).toEqual([
      'cpu.max=25000 100000',
      'cpu.weight=4',
      'memory.max=11000000',
      'memory.swap.max=0',
      'memory.oom.group=1',
      'pids.max=12',
    ]);
  });

  it('that are absent are not written', () => {
    expect([...v1Writes({}), ...v2Writes({}, false)]).toEqual([]);
  });

  it('below what the kernel takes are raised to it', () => {
    expect(print(v1Writes({ cpuCores: 0.001, cpuRequestCores: 0 }))).toEqual([
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=1000',
      'cpu.shares=2',
    ]);
  });

  it('give the weights the kubelet gives', () => {
    expect([2, 102, 1024, 262_144].map(cpuWeight)).toEqual([1, 4, 39, 10_000]);
  });
});

describe('OOM kills', () => {
  it('are read from v1 and v2', () => {
    expect(parseOomKills('oom_kill_disable 0\nunder_oom 0\noom_kill 3\n')).toBe(3);
    expect(parseOomKills('low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\n')).toBe(2);
  });

  it('are counted by the statistics as by the runtime', () => {
    const file = Buffer.from('max 7\noom 1\noom_kill 3\noom_group_kill 1\n');
    const numbers = new Float64Array(2);
    parseMemoryEvents(file, file.length, numbers);
    expect([...numbers]).toEqual([parseOomKills(file.toString()), 7]);
  });

  it('of a whole cgroup at once are one', () => {
    expect(parseOomKills('max 7\noom 1\noom_kill 3\noom_group_kill 1\n')).toBe(1);
    expect(parseOomKills('max 7\noom 1\noom_kill 3\noom_group_kill 0\n')).toBe(3);
  });

  it('that are not counted are unknown, not none', () => {
    expect(parseOomKills('oom_kill_disable 0\nunder_oom 0\n')).toBeUndefined();
    expect(parseOomKills(undefined)).toBeUndefined();
  });
});
