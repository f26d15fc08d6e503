import { afterEach, describe, expect, it } from 'vitest';
import { createOomWatch, type OomWatch } from '../../../src/agent/stats/oom-watch.ts';
import type { OomKill } from '../../../src/model/life.ts';
import { createFakeClock, systemClock } from '../../../src/util/clock.ts';
import { notRoot } from '../../support/parts.ts';
import { cgroupVersion, makeCgroup, type RealCgroup, until } from './real-cgroup.ts';

const MOST_MEMORY = String(24 * 2 ** 20);

describe.skipIf(notRoot() || cgroupVersion === 0)('the OOM watch, on real cgroups', () => {
  const cleanUps: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  const limited = (): RealCgroup => {
    const cgroup = makeCgroup();
    cleanUps.push(() => cgroup.remove());
    cgroup.write('memory', cgroupVersion === 1 ? 'memory.limit_in_bytes' : 'memory.max', MOST_MEMORY);
    return cgroup;
  };
  const watching = (options: Partial<Parameters<typeof createOomWatch>[0]> = {}) => {
    const watch: OomWatch = createOomWatch({ clock: systemClock, ...options });
    cleanUps.push(() => watch.close());
    const told: [string, OomKill][] = [];
    watch.onKill((id, kill) => told.push([id, kill]));
    return { watch, told };
  };

  it('sees the first process of a container killed, with pid, command and memory from the kernel log', async () => {
    const cgroup = limited();
    const { watch, told } = watching();
    const before = Date.now();
    const child = cgroup.start(['/bin/sh', '-c', 'sleep 0.3; exec tail /dev/zero']);
    watch.track({ id: 'leak', pid: child.pid!, cgroup: cgroup.paths });
    const [, kill] = await until(() => told[0]);
    expect(kill).toMatchObject({ pid: child.pid, command: 'tail', mainProcess: true });
    expect(kill.rssBytes).toBeGreaterThan(10 * 2 ** 20);
    // Pages shared with others are resident, but charged to whoever touched them first.
    expect(kill.rssBytes).toBeLessThanOrEqual(2 * Number(MOST_MEMORY));
    expect(kill.at).toBeGreaterThanOrEqual(before - 5);
    expect(kill.at).toBeLessThanOrEqual(Date.now() + 5);
    expect(watch.untrack('leak', 1)).toEqual([kill]);
    expect(told).toHaveLength(1);
  });

  it('sees a child killed while the container lives on, and says it was not the first process', async () => {
    const cgroup = limited();
    const { watch, told } = watching();
    const child = cgroup.start(['/bin/sh', '-c', 'sleep 0.3; tail /dev/zero; sleep 60']);
    watch.track({ id: 'parent', pid: child.pid!, cgroup: cgroup.paths });
    const [id, kill] = await until(() => told[0]);
    expect([id, kill.command, kill.mainProcess]).toEqual(['parent', 'tail', false]);
    expect(kill.pid).not.toBe(child.pid);
    expect(child.exitCode).toBeNull();
  });

  it('gives a kill to the innermost container, not to the one around it or beside it', async () => {
    const pod = makeCgroup({ inner: true });
    cleanUps.push(() => pod.remove());
    const [cart, web] = [pod.child('cart'), pod.child('web')];
    cart.write('memory', cgroupVersion === 1 ? 'memory.limit_in_bytes' : 'memory.max', MOST_MEMORY);
    const { watch, told } = watching();
    const sleeper = web.start(['sleep', '60']);
    const child = cart.start(['/bin/sh', '-c', 'sleep 0.3; exec tail /dev/zero']);
    watch.track({ id: 'web', pid: sleeper.pid!, cgroup: web.paths });
    watch.track({ id: 'cart', pid: child.pid!, cgroup: cart.paths });
    await until(() => told.length > 0);
    expect(told.map(([id]) => id)).toEqual(['cart']);
    expect(watch.untrack('web', 0)).toEqual([]);
  });

  it('tells a kill from before a new container was tracked, not one from before the watch was made', async () => {
    const cgroup = limited();
    const { watch: early, told: toldEarly } = watching();
    const child = cgroup.start(['/bin/sh', '-c', 'tail /dev/zero; touch /dev/null; sleep 60']);
    const counter = cgroupVersion === 1 ? 'memory.oom_control' : 'memory.events';
    await until(() => /oom_kill [1-9]/.test(cgroup.read('memory', counter)));
    const { watch: late, told: toldLate } = watching();
    const startedAt = Date.now() - 10_000;
    early.track({ id: 'new', pid: child.pid!, cgroup: cgroup.paths, startedAt: Date.now() });
    late.track({ id: 'adopted', pid: child.pid!, cgroup: cgroup.paths, startedAt });
    const [, kill] = await until(() => toldEarly[0]);
    expect(kill).toMatchObject({ command: 'tail', mainProcess: false });
    expect(late.untrack('adopted', 1)).toEqual([]);
    expect(toldLate).toEqual([]);
  });

  it('counts without the kernel log too, and then knows only whether the first process is dead', async () => {
    const cgroup = limited();
    const { watch, told } = watching({ kernelLog: undefined });
    const child = cgroup.start(['/bin/sh', '-c', 'sleep 0.3; tail /dev/zero; sleep 60']);
    watch.track({ id: 'blind', pid: child.pid!, cgroup: cgroup.paths });
    const [, kill] = await until(() => told[0]);
    expect(kill).toEqual({ at: kill.at, mainProcess: false });
  });

  it('looks at each counter once the host has counted a kill, wherever it was, without the kernel log too', async () => {
    const cgroup = limited();
    const clock = createFakeClock();
    const { watch, told } = watching({ clock, kernelLog: undefined });
    const child = cgroup.start(['/bin/sh', '-c', 'read go; tail /dev/zero; sleep 60'], { stdin: true });
    watch.track({ id: 'still', pid: child.pid!, cgroup: cgroup.paths });
    // Long past what is looked at in the beginning.
    await clock.advance(10_000);
    child.stdin!.end('\n');
    const counter = cgroupVersion === 1 ? 'memory.oom_control' : 'memory.events';
    await until(() => /oom_kill [1-9]/.test(cgroup.read('memory', counter)));
    await clock.advance(500);
    expect(told).toMatchObject([['still', { mainProcess: false }]]);
  });

  // On v2 the counter tells by itself, in time.
  it.skipIf(cgroupVersion === 2)(
    'takes the log for it where the cgroup is gone and nobody read its counter in time',
    async () => {
      const cgroup = limited();
      const { watch, told } = watching({ clock: createFakeClock() });
      const child = cgroup.start(['/bin/sh', '-c', 'sleep 0.3; exec tail /dev/zero']);
      watch.track({ id: 'gone', pid: child.pid!, cgroup: cgroup.paths });
      await until(() => child.signalCode ?? undefined);
      await cgroup.remove();
      expect(told).toEqual([]);
      expect(watch.untrack('gone')).toMatchObject([{ pid: child.pid, command: 'tail', mainProcess: true }]);
    },
  );

  it('tells a kill that only the count at the end of a life knows of', () => {
    const cgroup = limited();
    const { watch } = watching({ kernelLog: undefined });
    watch.track({ id: 'swift', pid: 999_999_999, cgroup: cgroup.paths });
    expect(watch.untrack('swift', 2)).toMatchObject([{ mainProcess: true }, { mainProcess: true }]);
    expect(watch.untrack('swift', 2)).toEqual([]);
  });
});
