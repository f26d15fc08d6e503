import { describe, expect, it } from 'vitest';
import type { OomVictim } from '../../../src/agent/host/kernel-log.ts';
import { createOomWatch } from '../../../src/agent/stats/oom-watch.ts';
import { createFakeClock } from '../../../src/util/clock.ts';

const MAIN = 999_999_998;
const NOW = 100_000;

/** How many kills of a container nobody saw run, with these victims in the kernel's log. */
function unseenKills(...victims: readonly OomVictim[]) {
  const unread = [...victims];
  const watch = createOomWatch({
    clock: createFakeClock(),
    kernelNow: () => NOW,
    kernelLog: { victims: () => unread.splice(0), close: () => {} },
  });
  const container = { id: '5e1ec7ed', pid: 0, cgroup: {}, startedAt: createFakeClock().now() };
  const counted = watch.kills(container);
  const kills = watch.untrack(container.id, counted);
  watch.close();
  return { counted, kills };
}

/** The kills told of one life that the counter says had one, with these victims in the kernel's log. */
function killsOf(...victims: readonly OomVictim[]) {
  const unread = [...victims];
  const watch = createOomWatch({
    clock: createFakeClock(),
    kernelNow: () => NOW,
    kernelLog: {
      victims: () => unread.splice(0),
      close: () => {},
    },
  });
  watch.track({ id: 'leak', pid: MAIN, cgroup: { memory: '/sys/fs/cgroup/memory/pv/leak' } });
  const kills = watch.untrack('leak', 1);
  watch.close();
  return kills;
}
const victim = (pid: number, agoMs: number, cgroup?: string): OomVictim => ({
  pid,
  command: 'tail',
  monotonicMs: NOW - agoMs,
  ...(cgroup === undefined ? {} : { cgroup }),
});

// Source: kernel mm/oom_kill.c: dump_header, which says the cgroup, is rate limited; "Killed process" is not.
describe('the victim of a kill, where the kernel log left out the cgroups of some', () => {
  it('is the first process of the container before those that may be of others', () => {
    const kills = killsOf(victim(11, 60_000), victim(12, 10), victim(MAIN, 20), victim(13, 5));
    expect(kills).toMatchObject([{ pid: MAIN, mainProcess: true }]);
  });

  it('is the one whose cgroup is known to be the container’s', () => {
    expect(killsOf(victim(12, 10), victim(14, 10, '/pv/leak'))).toMatchObject([
      { pid: 14, mainProcess: false },
    ]);
  });

  it('is the only one it can be', () => {
    expect(killsOf(victim(12, 10))).toMatchObject([{ pid: 12 }]);
  });

  it('is not known where it may be one of several, nor long after', () => {
    for (const kills of [killsOf(victim(12, 10), victim(13, 10)), killsOf(victim(12, 60_000))]) {
      expect(kills).toHaveLength(1);
      expect(kills[0]).not.toHaveProperty('pid');
    }
  });
});

describe('a container that was gone before anybody saw its process', () => {
  it('was killed where its id is in the name of the victim’s cgroup', () => {
    const { counted, kills } = unseenKills(
      victim(11, 10, '/libpod_parent/libpod-5e1ec7ed'),
      victim(12, 10, '/libpod_parent/libpod-0ddba11'),
    );
    expect(counted).toBe(1);
    expect(kills).toMatchObject([{ pid: 11, mainProcess: true }]);
  });

  it('was not where every victim is known to be another’s', () =>
    expect(unseenKills(victim(12, 10, '/libpod_parent/libpod-0ddba11')).counted).toBe(0));

  it('may have been where the log left out the cgroup of one', () =>
    expect(unseenKills(victim(12, 10)).counted).toBeUndefined());
});
