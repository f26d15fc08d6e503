import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Life } from '../../src/model/life.ts';
import { BUSYBOX_IMAGE, noPodman, startPodman, type TestPodman } from '../support/podman.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from '../support/podvitals.ts';

const PATIENCE_MS = 60_000;

describe.skipIf(noPodman())('pods that Podman made, led through their lives by podvitals', () => {
  const dataDir = temporaryDataDir();
  let podman: TestPodman;
  let podvitals: Podvitals;

  const run = (name: string, flags: readonly string[], script: string) =>
    podman.podman(
      'run',
      '-d',
      '--stop-timeout',
      '1',
      '--name',
      name,
      ...flags,
      BUSYBOX_IMAGE,
      'sh',
      '-c',
      script,
    );
  const cli = async (...args: readonly string[]) => {
    const { code, out, err } = await podvitals.command(...args);
    if (code !== 0) throw new Error(`podvitals ${args.join(' ')}: ${code}: ${err}`);
    return out;
  };
  const states = async () =>
    Object.fromEntries(
      (await podman.podman('ps', '-a', '--format', '{{.Names}} {{.State}}'))
        .split('\n')
        .filter((line) => line !== '' && !line.includes('-infra'))
        .map((line) => line.toLowerCase().split(' ') as [string, string]),
    );
  const shown = async (pattern: RegExp) =>
    until(`${pattern}`, PATIENCE_MS, async () => pattern.test(await cli('get', 'pods')));
  const lives = async (pod: string, count: number): Promise<readonly Life[]> =>
    until(`${count} lives of ${pod}`, PATIENCE_MS, async () => {
      const path = `/api/pods/default/${pod}/lives?limit=500`;
      const { items } = await podvitals.json<{ readonly items: readonly Life[] }>(path);
      return items.length >= count && items;
    });

  beforeAll(async () => {
    podman = await startPodman();
    await podman.podman('pod', 'create', '--name', 'shop');
    await run('till', ['--pod', 'shop'], 'trap "exit 0" TERM; echo open; while :; do sleep 0.1; done');
    await run(
      'web',
      ['--pod', 'shop'],
      'mkdir -p /www && echo hello > /www/index.html; exec httpd -f -p 8080 -h /www',
    );
    await run(
      'cart',
      ['--network', 'none'],
      'echo one; echo two; trap "exit 0" TERM; while :; do sleep 0.1; done',
    );
    podvitals = await startPodvitals({
      dataDir: dataDir.path,
      ports: await freePorts(),
      env: { CONTAINER_HOST: `unix://${podman.socket}` },
    });
    await shown(/cart +1\/1 +Running[\s\S]*shop +2\/2 +Running/);
  }, 240_000);
  afterAll(async () => {
    await podvitals?.stop();
    await podman?.remove();
    dataDir.remove();
  }, 240_000);

  it('are stopped and started, as asked for and not as crashes', async () => {
    expect(await cli('stop', 'shop', 'cart')).toBe(
      'pod "default/shop" stopped\npod "default/cart" stopped\n',
    );
    expect(await states()).toEqual({ till: 'exited', web: 'exited', cart: 'exited' });
    expect((await lives('shop', 2)).every(({ unrequested }) => !unrequested)).toBe(true);
    expect((await lives('cart', 1))[0]).toMatchObject({ unrequested: false });
    await cli('start', 'shop', 'cart');
    await shown(/cart +1\/1 +Running[\s\S]*shop +2\/2 +Running/);
  });

  it('are restarted', async () => {
    await cli('restart', 'cart');
    expect((await lives('cart', 2))[0]).toMatchObject({ unrequested: false });
    await shown(/cart +1\/1 +Running/);
  });

  it('are held still, and go on', async () => {
    await cli('pause', 'shop', 'cart');
    expect(await states()).toEqual({ till: 'paused', web: 'paused', cart: 'paused' });
    await cli('unpause', 'shop', 'cart');
    expect(await states()).toEqual({ till: 'up', web: 'up', cart: 'up' });
  });

  it('are looked into: inspect, logs, top, events, exec', async () => {
    expect(JSON.parse(await cli('inspect', 'shop'))[0]).toMatchObject({
      kind: 'Pod',
      metadata: { name: 'shop' },
    });
    expect(await cli('logs', 'cart')).toBe('one\ntwo\n');
    expect(await cli('logs', 'cart', '--tail', '1')).toBe('two\n');
    expect(await cli('logs', 'cart', '-p')).toBe('one\ntwo\n');
    expect(await cli('logs', 'cart', '-t', '--since', '1h')).toMatch(/^\d{4}-\d\d-\d\dT\S+ one\n\S+ two\n$/);
    expect(await cli('logs', 'shop', '--all-containers', '--prefix')).toContain('[pod/shop/till] open\n');
    expect(await cli('exec', 'shop', '-c', 'web', '--', 'cat', '/www/index.html')).toBe('hello\n');
    expect((await podvitals.command('exec', 'cart', '--', 'sh', '-c', 'exit 7')).code).toBe(7);
    await until('usage', PATIENCE_MS, async () => /shop +\d+m +\d+Mi/.test(await cli('top', 'pods')));
    expect(await cli('stats', '--no-stream', 'shop')).toMatch(
      /^POD +NAME +CPU %[^\n]*\nshop +till +[\d.]+% +\S+B \/ -- +-- +\S+B \/ \S+B +[^\n]* \d+\nshop +web /,
    );
    expect(JSON.parse(await cli('stats', '-A', '-o', 'json'))).toHaveLength(2);
    expect(await cli('events', '-n', 'default')).toMatch(/Killing/);
  });

  it('are deleted, by name, by force and all; Podman has them no more', async () => {
    await run('task', ['--network', 'none'], 'exit 0');
    await run('spare', ['--network', 'none'], 'sleep 1000');
    await shown(/spare +1\/1 +Running/);
    expect(await cli('delete', 'pod', 'cart')).toBe('pod "default/cart" deleted\n');
    expect(Object.keys(await states()).sort()).toEqual(['spare', 'task', 'till', 'web']);
    expect(await cli('get', 'pods')).not.toContain('cart');
    expect(await cli('prune')).toBe('');
    expect(await cli('prune', '--foreign')).toBe('pod "default/task" deleted\n');
    await cli('delete', 'pod', 'spare', '--force');
    expect(Object.keys(await states()).sort()).toEqual(['till', 'web']);
    await cli('delete', 'pods', '--all');
    expect(Object.keys(await states()).sort()).toEqual(['till', 'web']);
    await cli('delete', 'pods', '--all', '--foreign');
    expect(await states()).toEqual({});
    expect(await podman.podman('pod', 'ps', '-q')).toBe('');
    expect(await cli('get', 'pods')).toBe('No resources found.\n');
  });

  it('that are no more are not found', async () => {
    const gone = await podvitals.command('stop', 'cart');
    expect(gone.code).toBe(1);
    expect(gone.err).toContain('not found');
  });
});
