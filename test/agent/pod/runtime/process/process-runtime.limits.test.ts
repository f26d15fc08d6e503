import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notRoot } from '../../../../support/parts.ts';
import {
  createTestRuntime,
  sandboxConfig,
  type TestRuntime,
  until,
} from '../../../../support/process-pods.ts';

const EAT = 'const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1));';
const MIB = 1024 * 1024;

describe.skipIf(notRoot())('limits of the process runtime', () => {
  let pods: TestRuntime;
  beforeAll(async () => {
    pods = await createTestRuntime();
    await pods.pod('greedy');
  });
  afterAll(() => pods.dispose());

  it('are enforced here, and it says so', () => {
    expect(pods.runtime.enforcement()).toMatchObject({
      level: expect.stringMatching(/^root, cgroup v[12]/),
      notEnforced: ['securityContext.seccompProfile', 'volumeClaimTemplates.resources.requests.storage'],
    });
  });

  it('kill a container that needs more memory than it may have, and count the kill', async () => {
    const { exit } = await pods.run('greedy', ['node', '-e', EAT], { memoryLimitBytes: 96 * MIB });
    expect(exit).toMatchObject({ exitCode: 137, signal: 9, oomKills: 1 });
  });

  it('count a killed child while the container lives on', async () => {
    // On cgroup v2 the container would end with its child, as the kubelet wants it.
    const script = 'sleep 1000 & tail /dev/zero; echo "child $?"; exit 5';
    const { exit, stdout } = await pods.run('greedy', ['sh', '-c', script], { memoryLimitBytes: 24 * MIB });
    const isPureV2 = Object.keys((await pods.pod('greedy')).cgroup).join() === 'unified';
    if (isPureV2) expect(exit).toMatchObject({ exitCode: 137 });
    else expect({ stdout, code: exit.exitCode }).toEqual({ stdout: 'child 137', code: 5 });
    // Also where the kernel killed all of it: one kill, not one a process.
    expect(exit.oomKills).toBe(1);
  });

  it('throttle a container that wants more CPU than it may have', async () => {
    const container = await pods.start('greedy', ['sh', '-c', 'while :; do :; done'], { cpuLimitCores: 0.2 });
    const file = join(container.cgroup.cpu ?? container.cgroup.unified!, 'cpu.stat');
    const throttled = await until('five throttled periods', () => {
      const periods = Number(/^nr_throttled (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1]);
      return periods >= 5 && periods;
    });
    expect(throttled).toBeGreaterThanOrEqual(5);
    await pods.runtime.stopContainer(container.id, 0);
  });

  it('stop a container from making more processes than it may have', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo all';
    const { stdout, stderr } = await pods.run('greedy', ['sh', '-c', script], { pidsLimit: 6 });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/[Cc]annot fork/);
  });

  it('give CPU by the request', async () => {
    const container = await pods.start('greedy', ['sleep', '1000'], { cpuRequestCores: 0.5 });
    const { cpu, unified } = container.cgroup;
    const weight = readFileSync(
      cpu === undefined ? join(unified!, 'cpu.weight') : join(cpu, 'cpu.shares'),
      'utf8',
    );
    expect(weight.trim()).toBe(cpu === undefined ? '20' : '512');
    await pods.runtime.stopContainer(container.id, 0);
  });

  it('let the container meet its own memory limit before the pod meets the sum', async () => {
    await pods.runtime.runSandbox({
      podUid: 'summed',
      namespace: 'shop',
      name: 'summed',
      hostname: 'summed',
      hostNetwork: false,
      memoryLimitBytes: 64 * MIB,
      cpuLimitCores: 1,
    });
    const { exit } = await pods.run('summed', ['node', '-e', EAT], {
      memoryLimitBytes: 64 * MIB,
      cpuLimitCores: 1,
    });
    expect(exit).toMatchObject({ exitCode: 137, oomKills: 1 });
  });
});

// Source: mm/oom_kill.c and cgroup-v2.rst: the kernel counts where the limit was met, in the victim's own group.
describe.skipIf(notRoot())('the count of OOM kills', () => {
  let pods: TestRuntime;
  beforeAll(async () => {
    pods = await createTestRuntime();
  });
  afterAll(() => pods.dispose());

  it('is not that of the container beside it', async () => {
    await pods.pod('siblings');
    const beside = await pods.start('siblings', ['sleep', '1000'], { name: 'beside' });
    const { exit } = await pods.run('siblings', ['tail', '/dev/zero'], { memoryLimitBytes: 24 * MIB });
    expect(exit).toMatchObject({ exitCode: 137, signal: 9, oomKills: 1 });
    await pods.runtime.stopContainer(beside.id, 0);
    expect(await pods.exit(beside)).toMatchObject({ exitCode: 137, oomKills: 0 });
  });

  it('is the victim’s alone where the limit that was met is the pod’s', async () => {
    // With what a pod has for itself, 96 MiB in all.
    await pods.runtime.runSandbox({ ...sandboxConfig('tight'), memoryLimitBytes: 64 * MIB });
    const holding = (megabytes: number) => ['dd', 'if=/dev/zero', 'of=/dev/null', `bs=${megabytes}M`];
    const beside = await pods.start('tight', holding(40), { name: 'beside', memoryLimitBytes: 96 * MIB });
    // It must want nothing more when the limit is met: a kernel that is still freeing the victim takes a second one.
    const { memory, unified } = beside.cgroup;
    const used = memory ? join(memory, 'memory.usage_in_bytes') : join(unified!, 'memory.current');
    await until('the memory to be held', () => Number(readFileSync(used, 'utf8')) > 40 * MIB);
    const { exit } = await pods.run('tight', holding(80), { memoryLimitBytes: 96 * MIB });
    expect(exit).toMatchObject({ exitCode: 137, signal: 9, oomKills: 1 });
    await pods.runtime.stopContainer(beside.id, 0);
    expect(await pods.exit(beside)).toMatchObject({ exitCode: 137, oomKills: 0 });
  });

  it('takes in what is written to a volume that is memory', async () => {
    const path = join(pods.runtime.podDirectory('cached'), 'cache');
    mkdirSync(path, { recursive: true });
    await pods.runtime.runSandbox({ ...sandboxConfig('cached'), memoryVolumes: [{ path, mode: 0o777 }] });
    const { exit } = await pods.run('cached', ['dd', 'if=/dev/zero', 'of=/cache/big', 'bs=1M', 'count=200'], {
      memoryLimitBytes: 24 * MIB,
      mounts: [{ source: path, target: '/cache', readOnly: false }],
    });
    expect(exit).toMatchObject({ exitCode: 137, signal: 9 });
    expect(exit.oomKills).toBeGreaterThanOrEqual(1);
  });

  // Where a start takes seconds, as in an emulated machine, a tenth of them must do.
  const atOnce = process.env.PODVITALS_PATIENCE === undefined ? 40 : 4;
  it(`is right for ${atOnce} kills at once: none missed, none invented`, async () => {
    const names = Array.from({ length: atOnce }, (_, index) => `eater-${index}`);
    await pods.pod('many');
    const eaters = [];
    for (const name of names)
      eaters.push(
        await pods.start(
          'many',
          ['sh', '-c', 'until [ -e /tmp/go/go ]; do sleep 0.05; done; exec tail /dev/zero'],
          {
            name,
            memoryLimitBytes: 8 * MIB,
            mounts: [{ source: pods.owner.dataDir, target: '/tmp/go', readOnly: true }],
          },
        ),
      );
    const bystander = await pods.start('many', ['sleep', '1000'], {
      name: 'bystander',
      memoryLimitBytes: 8 * MIB,
    });
    writeFileSync(join(pods.owner.dataDir, 'go'), '');
    const exits = await Promise.all(eaters.map((eater) => pods.exit(eater)));
    expect(exits.map(({ exitCode, oomKills }) => [exitCode, oomKills])).toEqual(names.map(() => [137, 1]));
    await pods.runtime.stopContainer(bystander.id, 0);
    expect((await pods.exit(bystander)).oomKills).toBe(0);
  });
});
