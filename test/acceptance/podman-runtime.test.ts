import { readFileSync, writeFileSync } from 'node:fs';
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

const PATIENCE_MS = 60_000;

interface Asked {
  readonly restartPolicy?: string;
  readonly claim?: string;
}

const pod = (name: string, script: string, { restartPolicy = 'Always', claim }: Asked = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    restartPolicy,
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'main',
        image: BUSYBOX_IMAGE,
        command: ['sh', '-c', script],
        ...(claim === undefined ? {} : { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
      },
    ],
    ...(claim === undefined
      ? {}
      : { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }] }),
  },
});

describe.skipIf(noPodman())('podvitals up --runtime podman', () => {
  const dataDir = temporaryDataDir();
  let podman: TestPodman;
  let options: PodvitalsOptions;
  let podvitals: Podvitals;

  const cli = async (...args: readonly string[]) => {
    const { code, out, err } = await podvitals.command(...args);
    if (code !== 0) throw new Error(`podvitals ${args.join(' ')}: ${code}: ${err}`);
    return out;
  };
  const apply = async (...objects: readonly (object | string)[]) => {
    const file = join(dataDir.path, 'manifest.yaml');
    const texts = objects.map((object) => (typeof object === 'string' ? object : JSON.stringify(object)));
    writeFileSync(file, texts.join('\n---\n'));
    return cli('apply', '-f', file);
  };
  const shown = (pattern: RegExp) =>
    until(`${pattern}`, PATIENCE_MS, async () => pattern.test(await cli('get', 'pods')));
  const lives = async (name: string): Promise<readonly Life[]> =>
    (await podvitals.json<{ readonly items: readonly Life[] }>(`/api/pods/default/${name}/lives?limit=500`))
      .items;
  const statusOf = async (name: string) => {
    const [found] = JSON.parse(await cli('inspect', name)) as readonly {
      readonly status: {
        readonly containerStatuses: readonly {
          readonly containerID: string;
          readonly restartCount: number;
        }[];
      };
    }[];
    return found!.status.containerStatuses[0]!;
  };
  const pidOf = async (name: string) =>
    Number(
      await podman.podman(
        ...['ps', '-q', '--filter', `label=io.podvitals.pod.name=${name}`, '--filter'],
        ...['label=io.podvitals.container.name=main', '--format', '{{.Pid}}'],
      ),
    );
  /** Deaths of a pod's containers as Podman's own log of events has them. */
  const diedEvents = (name: string) =>
    readFileSync(join(podman.folder, 'tmp/events/events.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"Status":"died"') && line.includes(`"Name":"main_${name}_`)).length;

  beforeAll(async () => {
    podman = await startPodman();
    options = {
      dataDir: dataDir.path,
      ports: await freePorts(),
      flags: ['--runtime', 'podman'],
      agent: { backOff: { base: '1s', cap: '1s' } },
      env: { CONTAINER_HOST: `unix://${podman.socket}` },
    };
    podvitals = await startPodvitals(options);
  }, 240_000);
  afterAll(async () => {
    await podvitals?.stop();
    await podman?.remove();
    dataDir.remove();
  }, 240_000);

  it('keeps the data of a claim in Podman’s volume of that name, beyond the pod', async () => {
    await podman.podman(
      'run',
      '--rm',
      '--network',
      'none',
      '-v',
      'orders:/o',
      BUSYBOX_IMAGE,
      'sh',
      '-c',
      'echo apples > /o/1',
    );
    const once = { restartPolicy: 'Never', claim: 'orders' };
    await apply(pod('clerk', 'cat /data/1; echo pears > /data/2', once));
    await shown(/clerk +0\/1 +Completed/);
    expect(await cli('logs', 'clerk')).toBe('apples\n');
    // Podman knows that it is in use.
    await expect(podman.podman('volume', 'rm', 'orders')).rejects.toThrow(/in use|being used/);
    await cli('delete', 'pod', 'clerk');
    await apply(pod('reader', 'cat /data/2', once));
    await shown(/reader +0\/1 +Completed/);
    expect(await cli('logs', 'reader')).toBe('pears\n');
    await cli('delete', 'pod', 'reader');
    expect(await podman.podman('volume', 'ls', '-q')).toBe('orders');
  });

  it('gives a pod the resolver its manifest asks for', async () => {
    const { spec, ...rest } = pod('asker', 'cat /etc/resolv.conf', { restartPolicy: 'Never' });
    const options = [{ name: 'ndots', value: '2' }];
    const dnsConfig = { nameservers: ['192.0.2.53'], searches: ['shop.test'], options };
    await apply({ ...rest, spec: { ...spec, dnsPolicy: 'None', dnsConfig } });
    await shown(/asker +0\/1 +Completed/);
    expect(await cli('logs', 'asker')).toBe('search shop.test\nnameserver 192.0.2.53\noptions ndots:2\n');
    await cli('delete', 'pod', 'asker');
  });

  it('evicts whoever writes more to its root than it may', async () => {
    const { spec, ...rest } = pod('scribe', 'head -c 30000000 /dev/zero > /scroll; exec sleep 100000');
    const [container] = spec.containers;
    const limited = { ...container, resources: { limits: { 'ephemeral-storage': '10M' } } };
    await apply({ ...rest, spec: { ...spec, containers: [limited] } });
    await shown(/scribe +0\/1 +Error/);
    const { verdict } = await podvitals.json<{ readonly verdict: Verdict }>('/api/pods/default/scribe/why');
    expect(verdict.cause).toBe('EvictedDisk');
    await cli('delete', 'pod', 'scribe');
  });

  it('takes over what lives after kill -9 of all of it, and counts each death once', async () => {
    await apply(
      pod('steady', 'exec sleep 100000'),
      pod('killed', 'exec sleep 100000'),
      pod('frail', 'sleep 0.5; exit 7'),
    );
    await shown(/killed +1\/1[\s\S]*steady +1\/1/);
    const more = async (count: number) => {
      const wanted = diedEvents('frail') + count;
      await until(`${wanted} deaths`, PATIENCE_MS, () => diedEvents('frail') >= wanted);
    };
    await more(2);
    const before = await statusOf('steady');
    await podvitals.kill();
    process.kill(await pidOf('killed'), 'SIGKILL');
    podvitals = await startPodvitals(options);
    await more(2);
    await podvitals.kill();
    await podman.killService();
    await podman.startService();
    podvitals = await startPodvitals(options);
    await more(1);
    await until('the death that nobody saw', PATIENCE_MS, async () => (await lives('killed')).length === 1);
    expect((await lives('killed'))[0]).toMatchObject({ exitCode: 137, signal: 9, unrequested: true });
    await shown(/killed +1\/1 +Running +1 /);
    expect(await statusOf('steady')).toMatchObject({ containerID: before.containerID, restartCount: 0 });
    expect(await lives('steady')).toEqual([]);
    await cli('stop', 'frail');
    await until('all deaths', PATIENCE_MS, async () => (await lives('frail')).length >= diedEvents('frail'));
    const found = await lives('frail');
    expect(found.length).toBe(diedEvents('frail'));
    const attempts = found.map(({ attempt }) => attempt).sort((a, b) => a - b);
    expect(attempts).toEqual(attempts.map((_, index) => index));
    await cli('delete', 'pods', '--all');
    expect(await podman.podman('ps', '-aq')).toBe('');
  }, 300_000);

  it('runs again what Podman made, from `generate kube`, in Podman and as processes', async () => {
    await podman.podman('pod', 'create', '--name', 'stall');
    const till = 'echo $GREETING > /orders/hello; while :; do cat /orders/hello; sleep 1; done';
    await podman.podman(
      'run',
      '-d',
      '--pod',
      'stall',
      '--name',
      'till',
      '-e',
      'GREETING=hello',
      '-m',
      '32m',
      '-v',
      'orders:/orders',
      BUSYBOX_IMAGE,
      'sh',
      '-c',
      till,
    );
    await podman.podman('run', '-d', '--pod', 'stall', '--name', 'web', BUSYBOX_IMAGE, 'sleep', '100000');
    const manifest = await cli('generate', 'kube', 'stall');
    await podman.podman('pod', 'rm', '-f', '-t', '0', 'stall');
    await until('Podman’s is gone', PATIENCE_MS, async () => !(await cli('get', 'pods')).includes('stall'));
    await apply(manifest);
    await shown(/stall +2\/2 +Running/);
    expect(await cli('logs', 'stall', '-c', 'till')).toMatch(/^hello\n/);
    // What we made of it reads the same again.
    const again = await cli('generate', 'kube', (await podman.podman('pod', 'ps', '-q')).trim());
    expect(again).toContain('claimName: orders');
    await cli('delete', 'pod', 'stall', '--force');

    const other = temporaryDataDir();
    const processes = await startPodvitals({ dataDir: other.path, ports: await freePorts() });
    try {
      const file = join(other.path, 'stall.yaml');
      // There are no images there: the programs are the host's.
      writeFileSync(file, manifest.replaceAll(/image: .*/g, 'image: host'));
      expect(await processes.command('apply', '-f', file)).toMatchObject({ code: 0 });
      await until('it runs', PATIENCE_MS, async () =>
        /stall +2\/2 +Running/.test((await processes.command('get', 'pods')).out),
      );
      expect((await processes.command('logs', 'stall', '-c', 'till')).out).toMatch(/^hello\n/);
    } finally {
      await processes.command('delete', 'pod', 'stall', '--force');
      await processes.stop();
      other.remove();
    }
  }, 300_000);
});
