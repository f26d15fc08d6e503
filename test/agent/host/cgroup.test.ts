import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CgroupPaths,
  cgroupProcesses,
  childCgroup,
  joinFiles,
  killCgroup,
  killCgroupExcept,
  makeCgroup,
  pruneCgroup,
  removeCgroup,
} from '../../../src/agent/host/cgroup.ts';
import { openCgroupParent } from '../../../src/agent/host/cgroup-parent.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { notRoot } from '../../support/parts.ts';
import { until } from '../../support/process-pods.ts';

const JOIN = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"';

describe.skipIf(notRoot())('a cgroup', () => {
  let parent: CgroupPaths;
  let child: CgroupPaths;
  const spawned: ChildProcess[] = [];
  const sleeper = async () => {
    const process = spawn('/bin/sh', ['-c', JOIN, 'sh', ...joinFiles(child), '--', 'sleep', '1000'], {
      stdio: 'ignore',
    });
    spawned.push(process);
    await until('it to join', () => cgroupProcesses(child).includes(process.pid!));
    return process.pid!;
  };
  beforeEach(() => {
    parent = openCgroupParent(`podvitals-test-${randomBytes(4).toString('hex')}`).paths;
    child = childCgroup(parent, 'child');
    makeCgroup(child);
  });
  afterEach(async () => {
    for (const process of spawned.splice(0)) process.kill('SIGKILL');
    await killCgroup(parent, systemClock);
    await removeCgroup(parent, systemClock);
  });

  it('is joined in every hierarchy before the command runs, and killed as a whole', async () => {
    await sleeper();
    await sleeper();
    expect(cgroupProcesses(parent)).toHaveLength(2);
    await killCgroup(child, systemClock);
    expect(cgroupProcesses(child)).toEqual([]);
  });

  it('is killed as a whole without v2, too', async () => {
    if (Object.keys(child).join() === 'unified') return;
    const { unified: _, ...v1 } = child;
    await sleeper();
    await killCgroup(v1, systemClock);
    expect(cgroupProcesses(child)).toEqual([]);
  });

  it('is killed but for one', async () => {
    const [spared] = [await sleeper(), await sleeper()];
    await killCgroupExcept(child, spared!, systemClock);
    expect(cgroupProcesses(child)).toEqual([spared]);
  });

  it('is removed with what is below it, once it is empty', async () => {
    makeCgroup(childCgroup(child, 'deeper'));
    await sleeper();
    expect(await removeCgroup(parent, systemClock, 0)).toBe(false);
    await killCgroup(parent, systemClock);
    expect(await removeCgroup(parent, systemClock)).toBe(true);
    for (const directory of Object.values(parent)) expect(existsSync(directory)).toBe(false);
    expect(await removeCgroup(parent, systemClock)).toBe(true);
  });

  it('that is in use is not pruned', async () => {
    pruneCgroup(parent, parent);
    for (const directory of Object.values(child)) expect(existsSync(directory)).toBe(true);
    await removeCgroup(child, systemClock);
    pruneCgroup(parent, parent);
    for (const directory of Object.values(parent)) expect(existsSync(directory)).toBe(false);
  });
});
