import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/model/verdict.ts';
import { missing } from '../support/parts.ts';
import { BUSYBOX_IMAGE, noPodman, startPodman, type TestPodman } from '../support/podman.ts';
import {
  freePort,
  freePorts,
  type Podvitals,
  startPodvitals,
  temporaryDataDir,
  until,
} from '../support/podvitals.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

const PATIENCE_MS = 60_000;
/** The user `shop` with the password `apples`. */
const HTPASSWD = 'shop:$2y$05$KbxudO4r68yMQ8atQL5eLOw6SA/0sA6pYYhbhn725z9voc5/n5Pw.';
const LOGIN = 'shop:apples';
const ELSEWHERE = process.arch === 'arm64' ? 'amd64' : 'arm64';

const pod = (name: string, image: string, secret?: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image, command: ['sleep', '100000'] }],
    ...(secret === undefined ? {} : { imagePullSecrets: [{ name: secret }] }),
  },
});

describe.skipIf(noPodman() || missing('docker-registry'))('images from a real registry, by Podman', () => {
  const dataDir = temporaryDataDir();
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-pull-'));
  const parts: { stop(): Promise<unknown> }[] = [];
  let open: TestRegistry;
  let closed: TestRegistry;
  let limiter: Server;
  let podman: TestPodman;
  let podvitals: Podvitals;

  beforeAll(async () => {
    open = await startRegistry();
    parts.push(open);
    closed = await startRegistry(HTPASSWD);
    parts.push(closed);
    limiter = createServer((_request, response) => {
      const errors = [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' }];
      response
        .writeHead(429, { 'content-type': 'application/json', 'retry-after': '0' })
        .end(JSON.stringify({ errors }));
    });
    await new Promise<void>((resolve) => limiter.listen(0, '127.0.0.1', resolve));
    parts.push({ stop: () => new Promise((resolve) => limiter.close(resolve)) });
    const limited = `127.0.0.1:${(limiter.address() as AddressInfo).port}`;
    const silent = `127.0.0.1:${await freePort()}`;
    const registries = join(folder, 'registries.conf');
    writeFileSync(
      registries,
      [open.host, closed.host, limited, silent]
        .map((location) => `[[registry]]\nlocation = "${location}"\ninsecure = true\n`)
        .join(''),
    );
    podman = await startPodman({ CONTAINERS_REGISTRIES_CONF: registries });
    parts.push({ stop: () => podman.remove() });
    await podman.podman('push', '-q', BUSYBOX_IMAGE, `${open.host}/shop/cart:1`);
    await podman.podman('push', '-q', '--creds', LOGIN, BUSYBOX_IMAGE, `${closed.host}/shop/till:1`);
    await podman.podman('push', '-q', '--creds', LOGIN, BUSYBOX_IMAGE, `${closed.host}/shop/cart:1`);
    await podman.podman('manifest', 'create', 'localhost/elsewhere:1');
    await podman.podman(
      'manifest',
      'add',
      '--arch',
      ELSEWHERE,
      'localhost/elsewhere:1',
      `containers-storage:${BUSYBOX_IMAGE}`,
    );
    await podman.podman(
      'manifest',
      'push',
      '--all',
      'localhost/elsewhere:1',
      `docker://${open.host}/shop/elsewhere:1`,
    );
    podvitals = await startPodvitals({
      dataDir: dataDir.path,
      ports: await freePorts(),
      flags: ['--runtime', 'podman'],
      env: { CONTAINER_HOST: `unix://${podman.socket}` },
    });
    parts.push(podvitals);
    const auth = Buffer.from(LOGIN).toString('base64');
    const login = JSON.stringify({ auths: { [closed.host]: { auth } } });
    const objects = [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'login' },
        type: 'kubernetes.io/dockerconfigjson',
        stringData: { '.dockerconfigjson': login },
      },
      pod('here', `${open.host}/shop/cart:1`),
      pod('allowed', `${closed.host}/shop/till:1`, 'login'),
      pod('nowhere', `${open.host}/shop/cart:404`),
      pod('refused', `${closed.host}/shop/cart:1`),
      pod('silent', `${silent}/shop/cart:1`),
      pod('limited', `${limited}/shop/cart:1`),
      pod('elsewhere', `${open.host}/shop/elsewhere:1`),
    ];
    const file = join(folder, 'pods.yaml');
    writeFileSync(file, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    expect(await podvitals.command('apply', '-f', file)).toMatchObject({ code: 0 });
  }, 300_000);
  afterAll(async () => {
    for (const part of parts.reverse()) await part.stop();
    dataDir.remove();
    rmSync(folder, { recursive: true, force: true });
  }, 240_000);

  it('are pulled, with the credentials of an imagePullSecret where the registry wants some', () =>
    until('both run', PATIENCE_MS, async () => {
      const { out } = await podvitals.command('get', 'pods');
      return /here +1\/1 +Running/.test(out) && /allowed +1\/1 +Running/.test(out);
    }));

  it.each([
    ['nowhere', 'ImageNotFound', 'F3'],
    ['refused', 'ImageAuthFailed', 'F3'],
    ['silent', 'RegistryUnreachable', 'F3'],
    ['limited', 'RegistryRateLimited', 'F3'],
    ['elsewhere', 'WrongArchitecture', 'F15'],
  ])('that cannot be had are told apart: %s is %s', async (name, cause, failureMode) => {
    let last: Verdict | undefined;
    await until(cause, PATIENCE_MS, async () => {
      last = (await podvitals.json<{ readonly verdict: Verdict }>(`/api/pods/default/${name}/why`)).verdict;
      return last.cause === cause;
    }).catch(() => {});
    expect(last).toMatchObject({ cause, failureMode });
    const { out } = await podvitals.command('get', 'pods');
    expect(out).toMatch(new RegExp(`${name} +0/1 +(ErrImagePull|ImagePullBackOff)`));
  });
});
