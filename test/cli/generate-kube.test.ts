import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifests } from '../../src/agent/pod/manifest/parse-manifests.ts';
import { run } from '../../src/cli/main.ts';
import { BUSYBOX_IMAGE, noPodman, startPodman, type TestPodman } from '../support/podman.ts';

describe.skipIf(noPodman())('generate kube', () => {
  let podman: TestPodman;
  beforeAll(async () => {
    podman = await startPodman();
  });
  afterAll(() => podman?.remove());

  it('makes a manifest of a pod that Podman made, which we and Podman accept', async () => {
    const data = join(podman.folder, 'shared');
    mkdirSync(data);
    const flags = ['-e', 'CURRENCY=EUR', '-v', `${data}:/data:ro`, '--memory', '64m'];
    await podman.podman('pod', 'create', '--name', 'shop');
    await podman.podman(
      'run',
      '-d',
      '--pod',
      'shop',
      '--name',
      'web',
      ...flags,
      BUSYBOX_IMAGE,
      'sleep',
      '1000',
    );
    let out = '';
    const status = await run(['generate', 'kube', 'shop'], {
      out: (text) => {
        out += text;
      },
      err: () => undefined,
      env: { CONTAINER_HOST: `unix://${podman.socket}` },
      isTty: false,
    });
    expect(status).toBe(0);
    const { objects, warnings } = parseManifests([{ path: join(podman.folder, 'shop.yaml'), text: out }]);
    expect(warnings).toEqual([]);
    expect(objects).toMatchObject([
      {
        kind: 'Pod',
        metadata: { name: 'shop', labels: { app: 'shop' } },
        spec: {
          containers: [
            {
              name: 'web',
              image: BUSYBOX_IMAGE,
              command: ['sleep', '1000'],
              env: [{ name: 'CURRENCY', value: 'EUR' }],
              resources: { limits: { memory: '64Mi' } },
              volumeMounts: [{ mountPath: '/data', readOnly: true }],
            },
          ],
          volumes: [{ hostPath: { path: data } }],
        },
      },
    ]);
    expect(objects[0]?.metadata).not.toHaveProperty('annotations');
  });
});
