import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PodmanEvent } from '../../../../src/agent/engines/podman/event-stream.ts';
import { createPodmanClient, type PodmanClient } from '../../../../src/agent/engines/podman/podman-client.ts';
import type { LogLine } from '../../../../src/model/life.ts';
import { systemClock } from '../../../../src/util/clock.ts';
import { eventually } from '../../../support/eventually.ts';
import { BUSYBOX_IMAGE, noPodman, startPodman, type TestPodman } from '../../../support/podman.ts';

describe.skipIf(noPodman())('a client of a real Podman', () => {
  let test: TestPodman;
  let client: PodmanClient;

  beforeAll(async () => {
    test = await startPodman();
    client = createPodmanClient(test.socket);
    await test.podman('pod', 'create', '--name', 'shop', '--label', 'team=tills');
    await test.podman(
      'run',
      '-d',
      '--pod',
      'shop',
      '--name',
      'cart',
      '-m',
      '64m',
      BUSYBOX_IMAGE,
      'sleep',
      '1000',
    );
    await test.podman('run', '--name', 'done', BUSYBOX_IMAGE, 'sh', '-c', 'echo out; echo err >&2');
  }, 120_000);
  afterAll(async () => {
    client?.close();
    await test?.remove();
  }, 120_000);

  it('is new enough', async () => expect(await client.check()).toMatch(/^[4-9]\./));

  it('lists pods and containers', async () => {
    const [pod] = await client.pods();
    expect(pod).toMatchObject({ Name: 'shop', Labels: { team: 'tills' }, Status: 'Running' });
    const containers = await client.containers();
    expect(containers.find(({ Names }) => Names[0] === 'cart')).toMatchObject({
      PodName: 'shop',
      State: 'running',
      IsInfra: false,
    });
  });

  it('inspects a pod and a container', async () => {
    expect(await client.pod('shop')).toMatchObject({ Name: 'shop', State: 'Running' });
    const cart = await client.container('cart');
    expect(cart).toMatchObject({
      Name: 'cart',
      ImageName: BUSYBOX_IMAGE,
      State: { Running: true, ExitCode: 0, StartedAt: expect.any(Number), FinishedAt: undefined },
      Config: { Cmd: ['sleep', '1000'] },
      HostConfig: { Memory: 64 * 2 ** 20 },
    });
  });

  it('says in Podman’s words what is not there', async () => {
    await expect(client.container('nobody')).rejects.toMatchObject({
      code: 'PODMAN_NOT_FOUND',
      message: expect.stringContaining('no container with name or ID "nobody"'),
    });
  });

  it('reads both streams of a log', async () => {
    const lines: LogLine[] = [];
    await client.logs('done', {}, (line) => lines.push(line));
    const found = lines.map(({ stream, text }) => `${stream} ${text}`);
    expect(found.sort()).toEqual(['stderr err', 'stdout out']);
    expect(lines[0]!.at).toBeGreaterThan(Date.now() - 3_600_000);
  });

  it('follows events over a kill of the service, each once', async () => {
    const events: PodmanEvent[] = [];
    const end = new AbortController();
    let connected = 0;
    const done = client.followEvents({
      clock: systemClock,
      onEvent: (event) => events.push(event),
      onConnected: () => {
        connected += 1;
      },
      onTrouble: () => {},
      onBadEvent: (error) => expect.fail(String(error)),
      signal: end.signal,
      backOff: { baseMs: 50, capMs: 50 },
    });
    const deaths = () => events.filter(({ action }) => action === 'died');
    try {
      await eventually(() => connected === 1);
      await test.podman('run', '--network', 'none', BUSYBOX_IMAGE, 'sh', '-c', 'exit 11').catch(() => {});
      await eventually(() => deaths().length === 1);
      await test.killService();
      await test.podman('run', '--network', 'none', BUSYBOX_IMAGE, 'sh', '-c', 'exit 12').catch(() => {});
      await test.startService();
      await eventually(() => deaths().length === 2);
      await test.podman('run', '--network', 'none', BUSYBOX_IMAGE, 'sh', '-c', 'exit 13').catch(() => {});
      await eventually(() => deaths().length === 3);
    } finally {
      end.abort();
      await done;
    }
    expect(deaths().map(({ exitCode }) => exitCode)).toEqual([11, 12, 13]);
  }, 120_000);
});
