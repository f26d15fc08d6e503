import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Life } from '../../src/model/life.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { BUSYBOX_IMAGE, noPodman, startPodman, type TestPodman } from '../support/podman.ts';
import {
  freePorts,
  type Podvitals,
  type PodvitalsOptions,
  startPodvitals,
  temporaryDataDir,
  until,
} from '../support/podvitals.ts';

interface Vector {
  readonly data: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
}

const PATIENCE_MS = 30_000;

describe.skipIf(noPodman())('podvitals up on a host with Podman pods, without a file', () => {
  const dataDir = temporaryDataDir();
  let podman: TestPodman;
  let options: PodvitalsOptions;
  let podvitals: Podvitals;

  const run = (name: string, flags: readonly string[], script: string) =>
    podman.podman('run', '-d', '--name', name, ...flags, BUSYBOX_IMAGE, 'sh', '-c', script);

  beforeAll(async () => {
    podman = await startPodman();
    await podman.podman('pod', 'create', '--name', 'shop');
    await run('till', ['--pod', 'shop', '-m', '64m', '--cpus', '0.5'], 'while :; do sleep 0.2; done');
    await run(
      'cart-1',
      [
        '--network',
        'none',
        '--restart',
        'always',
        '--label',
        'io.podman.compose.project=store',
        '--label',
        'com.docker.compose.service=cart',
      ],
      'echo "connect ECONNREFUSED 127.0.0.1:5432"; sleep 1; exit 3',
    );
    options = {
      dataDir: dataDir.path,
      ports: await freePorts(),
      env: { CONTAINER_HOST: `unix://${podman.socket}` },
    };
    podvitals = await startPodvitals(options);
  }, 240_000);
  afterAll(async () => {
    await podvitals?.stop();
    await podman?.remove();
    dataDir.remove();
  }, 240_000);

  const query = async (expression: string) =>
    (await podvitals.json<Vector>(`/api/v1/query?query=${encodeURIComponent(expression)}`)).data.result;
  const value = async (expression: string) => Number((await query(expression))[0]?.value[1] ?? Number.NaN);
  const isFiring = async (alert: string, pod: string) =>
    (await query(`ALERTS{alertname="${alert}",pod="${pod}",alertstate="firing"}`)).length > 0;
  const lives = async (pod: string): Promise<readonly Life[]> =>
    (await podvitals.json<{ readonly items: readonly Life[] }>(`/api/pods/default/${pod}/lives?limit=500`))
      .items;
  const why = (pod: string) => podvitals.json<{ readonly verdict: Verdict }>(`/api/pods/default/${pod}/why`);
  /** Deaths as Podman's own log of events has them. */
  const diedEvents = (name: string) =>
    readFileSync(join(podman.folder, 'tmp/events/events.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"Status":"died"') && line.includes(`"Name":"${name}"`)).length;

  it('shows the pods that ran already', async () => {
    await until('both pods', PATIENCE_MS, async () => (await query('kube_pod_info')).length === 2);
    const listed = async () => (await podvitals.command('get', 'pods')).out;
    expect(await listed()).toMatch(/shop +1\/1 +Running/);
    await until('CrashLoopBackOff', PATIENCE_MS, async () =>
      /cart-1 +0\/1 +CrashLoopBackOff/.test(await listed()),
    );
  });

  it('says whose they are, and what compose calls their workload', async () => {
    await until(
      'labels',
      PATIENCE_MS,
      async () => (await query('kube_pod_labels{label_user!=""}')).length === 2,
    );
    await until(
      'the workload',
      PATIENCE_MS,
      async () => (await query('workload:pod_ready:ratio{workload="store-cart"}')).length === 1,
    );
  });

  it('pages for the crash loop, and names its cause from the log', async () => {
    await until('PodCrashLooping', PATIENCE_MS, () => isFiring('PodCrashLooping', 'cart-1'));
    expect((await why('cart-1')).verdict).toMatchObject({ cause: 'DependencyRefused', failureMode: 'F7' });
    expect(await isFiring('PodCrashLooping', 'shop')).toBe(false);
  });

  it('finds the OOM kill that Podman does not see, and that of a child', async () => {
    await run('leak', ['--network', 'none', '-m', '16m'], 'sleep 1; exec tail /dev/zero');
    await run('parent', ['--network', 'none', '-m', '16m'], 'while :; do tail /dev/zero; sleep 1; done');
    await until('the death', PATIENCE_MS, async () => (await lives('leak')).length === 1);
    expect((await lives('leak'))[0]).toMatchObject({ reason: 'OOMKilled', exitCode: 137, unrequested: true });
    expect((await why('leak')).verdict).toMatchObject({
      cause: 'OOMKilled',
      failureMode: 'F2',
      confidence: 'certain',
    });
    await until('the child', PATIENCE_MS, () => isFiring('PodOOMKilled', 'parent'));
    expect((await why('parent')).verdict.cause).toBe('ChildOOMKilled');
  });

  it('tells kill, stop, restart and rm -f from crashes', async () => {
    const asked = async (count: number) => {
      const all = await until(`${count} deaths`, PATIENCE_MS, async () => {
        const found = await lives('shop');
        return found.length >= count && found;
      });
      return all[0]!;
    };
    await podman.podman('stop', '-t', '0', 'till');
    expect(await asked(1)).toMatchObject({
      unrequested: false,
      killRequest: { message: 'Stopped by podman stop' },
    });
    await podman.podman('start', 'till');
    await podman.podman('kill', 'till');
    expect(await asked(2)).toMatchObject({
      unrequested: false,
      killRequest: { message: 'Killed by podman kill' },
    });
    await podman.podman('start', 'till');
    await podman.podman('restart', '-t', '0', 'till');
    expect(await asked(3)).toMatchObject({
      unrequested: false,
      killRequest: { message: 'Restarted by podman restart' },
    });
    const pid = Number(await podman.podman('inspect', 'till', '--format', '{{.State.Pid}}'));
    process.kill(pid, 'SIGKILL');
    expect(await asked(4)).toMatchObject({
      unrequested: true,
      killRequest: null,
      exitCode: 137,
      reason: 'Error',
    });
    await podman.podman('start', 'till');
  });

  it('takes usage from the cgroups, the network once a pod', async () => {
    await until(
      'usage',
      PATIENCE_MS,
      async () =>
        (await query('container_memory_working_set_bytes{pod="shop",container="till"}')).length === 1,
    );
    expect((await query('container_network_receive_bytes_total{pod="shop",interface="eth0"}')).length).toBe(
      1,
    );
    const stats = JSON.parse(
      await podman.podman('stats', '--no-stream', '--format', 'json', 'till'),
    ) as readonly { readonly mem_usage: string }[];
    expect(stats[0]!.mem_usage).toMatch(/B \/ 67\.11MB$/);
    expect(await value('kube_pod_container_resource_limits{pod="shop",resource="memory"}')).toBe(
      64 * 2 ** 20,
    );
  });

  it('counts every death once while Podman’s service and the agent are killed and come back', async () => {
    await run('frail', ['--network', 'none', '--restart', 'always'], 'sleep 1; exit 7');
    const deaths = () => diedEvents('frail');
    const more = async (count: number) => {
      const wanted = deaths() + count;
      await until(`${wanted} deaths`, PATIENCE_MS, () => deaths() >= wanted);
    };
    await more(2);
    await podman.killService();
    await more(2);
    await podman.startService();
    await more(1);
    await podvitals.kill();
    await more(2);
    podvitals = await startPodvitals(options);
    await more(2);
    await podvitals.kill();
    await podman.killService();
    await more(1);
    await podman.startService();
    podvitals = await startPodvitals(options);
    await podman.podman('rm', '-f', '-t', '0', 'frail');
    const found = await until('all deaths', PATIENCE_MS, async () => {
      const all = await lives('frail');
      return all.length >= deaths() && all;
    });
    expect(found.length).toBe(deaths());
    const attempts = found.map(({ attempt }) => attempt).sort((a, b) => a - b);
    expect(attempts).toEqual(attempts.map((_, index) => index));
  }, 400_000);
});
