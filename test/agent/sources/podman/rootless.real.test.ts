import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PodTransition } from '../../../../src/agent/pod/transition.ts';
import type { PodSource } from '../../../../src/agent/sources/pod-source.ts';
import { findSockets } from '../../../../src/agent/sources/podman/sockets.ts';
import { eventually } from '../../../support/eventually.ts';
import { BUSYBOX_IMAGE, startPodman, type TestPodman } from '../../../support/podman.ts';
import { createTestPodmanSource } from '../../../support/podman-source.ts';
import {
  noRootlessPodman,
  type RootlessPodman,
  startRootlessPodman,
} from '../../../support/rootless-podman.ts';

type Died = Extract<PodTransition, { readonly kind: 'container-died' }>;

describe.skipIf(noRootlessPodman())(
  'the pods of root’s Podman and of another user’s, seen by one agent',
  () => {
    let root: TestPodman;
    let theirs: RootlessPodman;
    let source: PodSource;
    const died: Died[] = [];
    const troubles: string[] = [];

    const run = (name: string, flags: readonly string[], script: string) =>
      theirs.podman('run', '-d', '--name', name, ...flags, BUSYBOX_IMAGE, 'sh', '-c', script);
    const pod = (name: string) => source.views().pods.find(({ ref }) => ref.name === name);
    const deathOf = (pod: string, count = 1) =>
      eventually(() => died.filter(({ pod: { name } }) => name === pod)[count - 1]);

    beforeAll(async () => {
      [root, theirs] = await Promise.all([startPodman(), startRootlessPodman()]);
      await root.podman('run', '-d', '--name', 'cart', '--network', 'none', BUSYBOX_IMAGE, 'sleep', '9999');
      await theirs.podman('pod', 'create', '--name', 'shop', '--network', 'none');
      await run('till', ['--pod', 'shop'], 'echo till is open; sleep 9999');
      mkdirSync(join(theirs.run, 'podman'));
      symlinkSync(root.socket, join(theirs.run, 'podman/podman.sock'));
      source = createTestPodmanSource({
        sockets: () => findSockets({}, 0, { run: theirs.run, passwd: '/etc/passwd' }),
        onTrouble: (message, error) => troubles.push(`${message}: ${error}`),
        onError: (error) => troubles.push(String(error)),
      });
      source.onTransition((transition) => {
        if (transition.kind === 'container-died') died.push(transition);
      });
      await source.start();
    }, 240_000);
    afterAll(async () => {
      await source?.close();
      await Promise.all([root?.remove(), theirs?.remove()]);
    }, 240_000);

    it('has each user’s pods in a namespace of their own, labelled with whose they are', async () => {
      await eventually(() =>
        ['shop', 'cart'].every((name) =>
          pod(name)?.object.status?.conditions?.some(
            ({ type, status }) => type === 'Ready' && status === 'True',
          ),
        ),
      );
      expect(pod('cart')!.ref.namespace).toBe('default');
      expect(pod('cart')!.object.metadata.labels).toMatchObject({ user: 'root' });
      expect(pod('shop')!.ref.namespace).toBe(theirs.user);
      expect(pod('shop')!.object.metadata.labels).toMatchObject({ user: theirs.user });
      expect(pod('shop')!.object.spec!.containers.map(({ name }) => name)).toEqual(['till']);
    });

    it('reads the user’s logs', async () => {
      const lines = await source.logs(pod('shop')!.ref.uid, 'till', 0, {});
      expect(lines.map(({ text }) => text)).toEqual(['till is open']);
    });

    it('tells the user’s crashes from what the user asked for', async () => {
      await run('frail', ['--network', 'none'], 'sleep 1; exit 3');
      expect(await deathOf('frail')).toMatchObject({ exitCode: 3, unrequested: true, killRequest: null });
      await theirs.podman('kill', 'till');
      expect(await deathOf('shop')).toMatchObject({
        unrequested: false,
        killRequest: { message: 'Killed by podman kill' },
      });
    });

    it('takes restarts by the user’s policy as lives of one container', async () => {
      await run('loop', ['--network', 'none', '--restart', 'on-failure:2'], 'sleep 1; exit 4');
      await deathOf('loop', 3);
      const attempts = died.filter(({ pod: { name } }) => name === 'loop').map(({ attempt }) => attempt);
      expect(attempts).toEqual([0, 1, 2]);
    });

    it('claims no cgroup for a container that has none of its own', async () => {
      // On cgroup v1 no user may make one: the container stays in the cgroup Podman was started in.
      const life = pod('frail') && died.find(({ pod: { name } }) => name === 'frail');
      expect(Object.values(life!.cgroup).every((path) => path.includes('libpod'))).toBe(true);
    });

    it('had no trouble', () => expect(troubles).toEqual([]));
  },
);
