import { describe, expect, it } from 'vitest';
import { parseOomVictims } from '../../../src/agent/host/kernel-log.ts';

const decision = (pid: number, cgroup: string, task = 'node', priority = 6) =>
  `${priority},901,5012345678,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/podvitals/pod11,task_memcg=${cgroup},task=${task},pid=${pid},uid=1000\n`;
const killed = (pid: number, command = 'node') =>
  `3,902,5012345690,-;Memory cgroup out of memory: Killed process ${pid} (${command}) total-vm:1131712kB, anon-rss:23456kB, file-rss:1024kB, shmem-rss:0kB, UID:1000 pgtables:660kB oom_score_adj:0\n SUBSYSTEM=x\n`;

describe('victims in the kernel log', () => {
  it('are told by two lines, which become one record', () => {
    expect(parseOomVictims([decision(11, '/podvitals/pod11/cart-0'), killed(11)])).toEqual([
      {
        pid: 11,
        command: 'node',
        cgroup: '/podvitals/pod11/cart-0',
        rssBytes: (23456 + 1024) * 1024,
        monotonicMs: 5_012_346,
      },
    ]);
  });

  it('may lack the first line, which the kernel limits to ten in five seconds', () => {
    expect(parseOomVictims([killed(12)])).toEqual([
      { pid: 12, command: 'node', rssBytes: 25_067_520, monotonicMs: 5_012_346 },
    ]);
  });

  it('may choose their own names', () => {
    const [victim] = parseOomVictims([decision(13, '/podvitals/pod11/cart-0', 'x,pid=1,uid=0')]);
    expect(victim).toMatchObject({ pid: 13, command: 'x,pid=1,uid=0' });
    expect(parseOomVictims([killed(14, 'a) b (c')])[0]).toMatchObject({ pid: 14, command: 'a) b (c' });
  });

  it('are not what a program writes into the log by itself', () => {
    expect(parseOomVictims([decision(1, '/podvitals/pod11/cart-0', 'node', 14)])).toEqual([]);
  });

  it('are found among other lines, and in none', () => {
    expect(parseOomVictims(['6,1,2,-;usb 1-1: new device\n', '', 'nonsense', killed(15)])).toHaveLength(1);
    expect(parseOomVictims([])).toEqual([]);
  });
});
