import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPodmanClient } from '../../../../../src/agent/engines/podman/podman-client.ts';
import { container } from '../../../../../src/agent/pod/runtime/podman/answers.ts';
import { watchLife } from '../../../../../src/agent/pod/runtime/podman/life.ts';
import type { RunningContainer } from '../../../../../src/agent/pod/runtime/runtime.ts';
import { createOomWatch } from '../../../../../src/agent/stats/oom-watch.ts';
import { systemClock } from '../../../../../src/util/clock.ts';
import { noPodman } from '../../../../support/podman.ts';
import { type PodmanPods, startPodmanPods } from '../../../../support/podman-pods.ts';
import { until } from '../../../../support/process-pods.ts';

describe.skipIf(noPodman())('deaths on real Podman', () => {
  let pods: PodmanPods;
  beforeAll(async () => {
    pods = await startPodmanPods();
    await pods.pod('cart');
  });
  afterAll(() => pods?.remove());

  const told = ({ id }: RunningContainer) => pods.exits.filter(({ containerId }) => containerId === id);
  const podman = (...args: readonly string[]) => pods.podman.podman(...args);

  it('behind its back are told once, with how Podman ended them', async () => {
    const [killed, stopped, removed] = [
      await pods.start('cart', ['sleep', '1000'], { name: 'killed' }),
      await pods.start('cart', ['sh', '-c', "trap 'exit 9' TERM; while :; do sleep 0.1; done"], {
        name: 'stopped',
      }),
      await pods.start('cart', ['sleep', '1000'], { name: 'removed' }),
    ];
    await podman('kill', killed.id);
    await podman('stop', '-t', '20', stopped.id);
    await podman('rm', '-f', '-t', '0', removed.id);
    expect(await pods.exit(killed)).toMatchObject({ exitCode: 137, signal: 9 });
    expect(await pods.exit(stopped)).toMatchObject({ exitCode: 9 });
    expect(await pods.exit(removed)).toMatchObject({ name: 'removed' });
    for (const one of [killed, stopped, removed]) {
      await pods.runtime().removeContainer(one.id);
      expect(told(one)).toHaveLength(1);
    }
  });

  it('while its service is away are told once when it is back; what runs goes on, probed and logged', async () => {
    const [lives, dies] = [
      await pods.start('cart', ['sh', '-c', 'while :; do echo on; sleep 0.2; done'], { name: 'lives' }),
      await pods.start('cart', ['sleep', '1000'], { name: 'dies' }),
    ];
    await pods.podman.killService();
    process.kill(dies.pid, 'SIGTERM');
    process.kill(dies.pid, 'SIGKILL');
    const probe = await pods.runtime().exec(lives.id, ['true'], { timeoutMs: 60_000 });
    expect(probe.exitCode).toBe(0);
    const before = (await pods.log(lives)).length;
    await until('more of the log', async () => (await pods.log(lives)).length > before);
    expect(told(dies)).toHaveLength(0);
    await pods.podman.startService();
    expect(await pods.exit(dies)).toMatchObject({ exitCode: 137, signal: 9, oomKills: 0 });
    const stop = pods.runtime().stopContainer(lives.id, 0);
    expect(await pods.exit(lives)).toMatchObject({ exitCode: 137 });
    await stop;
    expect([told(dies).length, told(lives).length]).toEqual([1, 1]);
  });

  it('by the kernel are OOM kills, too, where the cgroup was gone before anybody read what it had counted', async () => {
    const oomWatch = createOomWatch({ clock: systemClock });
    try {
      const hog = await pods.start('cart', ['sh', '-c', 'sleep 1; exec tail /dev/zero'], {
        name: 'hog',
        memoryLimitBytes: 24 * 2 ** 20,
      });
      oomWatch.track(hog);
      const client = createPodmanClient(pods.podman.socket);
      const inspection = await client.ask({ path: `/containers/${hog.id}/json` }, container);
      const life = watchLife(
        { client, clock: systemClock, oomKills: (of) => oomWatch.kills(of) },
        hog,
        inspection,
      );
      await until('the end of its cgroup', () => !existsSync(hog.cgroup.memory ?? hog.cgroup.unified!));
      life.check();
      expect(await life.ended).toMatchObject({ exitCode: 137, signal: 9, oomKills: 1 });
      life.close();
    } finally {
      oomWatch.close();
    }
  });

  it('by the kernel are OOM kills, too, where they came before anybody could see the process', async () => {
    for (let times = 0; times < 5; times += 1) {
      const hog = await pods.start('cart', ['tail', '/dev/zero'], {
        name: 'hasty',
        memoryLimitBytes: 24 * 2 ** 20,
      });
      expect(await pods.exit(hog)).toMatchObject({ exitCode: 137, signal: 9, oomKills: 1 });
    }
  });

  it('while no agent looked are found by the next, and half-made containers are cleared away', async () => {
    const [lives, dies] = [
      await pods.start('cart', ['sleep', '1000'], { name: 'stays' }),
      await pods.start('cart', ['sleep', '1000'], { name: 'goes' }),
    ];
    await pods.runtime().close();
    process.kill(dies.pid, 'SIGKILL');
    const labels = await podman('inspect', '--format', '{{json .Config.Labels}}', lives.id);
    const flags = Object.entries(JSON.parse(labels) as Record<string, string>).flatMap(([name, value]) => [
      '--label',
      name.endsWith('.attempt') ? `${name}=7` : `${name}=${value}`,
    ]);
    const halfMade = await podman('create', '--pod', 'cart_shop_cart', ...flags, 'localhost/bb:1', 'true');
    const adopted = await pods.restart();
    expect(adopted.running).toContainEqual(lives);
    const exits = adopted.exits.filter(({ containerId }) => containerId === dies.id);
    expect(exits).toMatchObject([{ exitCode: 137, name: 'goes', attempt: 0 }]);
    expect(await podman('ps', '-a', '-q', '--no-trunc')).not.toContain(halfMade);
  });

  it('of a pod whose shared part is gone are all of its containers’, and the pod can be made again', async () => {
    const { pid } = await pods.pod('lost');
    const app = await pods.start('lost', ['sleep', '1000']);
    await pods.runtime().close();
    process.kill(pid!, 'SIGKILL');
    await until('the end of the infra container', async () => {
      const state = await podman('pod', 'inspect', '--format', '{{.State}}', 'lost_shop_lost');
      return state !== 'Running';
    });
    const adopted = await pods.restart();
    expect(adopted.sandboxes.map(({ podUid }) => podUid)).toEqual(['cart']);
    expect(adopted.exits.filter(({ containerId }) => containerId === app.id)).toHaveLength(1);
    const again = await pods.pod('lost');
    expect(again.pid).not.toBe(pid);
    expect(await pods.run('lost', ['echo', 'back'])).toBe('back');
  });

  it('of another agent’s pods are none of its business', async () => {
    const mine = await pods.restart();
    await podman('run', '-d', '--name', 'theirs', 'localhost/bb:1', 'sleep', '1000');
    const { running } = await pods.restart();
    expect(running.map(({ name }) => name).sort()).toEqual(mine.running.map(({ name }) => name).sort());
    await podman('rm', '-f', '-t', '0', 'theirs');
  });
});
