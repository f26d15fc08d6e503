// Source: kubernetes/pkg/kubelet/kubelet_pods_test.go (the behaviour), third_party/forked/golang/expansion
import { describe, expect, it } from 'vitest';
import { newPod } from '../../../../src/agent/pod/new-pod.ts';
import { resolveContainer } from '../../../../src/agent/pod/spec/container-config.ts';
import { expand } from '../../../../src/agent/pod/spec/expansion.ts';
import type { ConfigMap, Container, Secret } from '../../../../src/model/kubernetes.ts';

const node = { name: 'node-11', ip: '192.0.2.11', cpuCores: 4, memoryBytes: 2 ** 33, diskBytes: 2 ** 36 };
const metadata = { name: 'prices', namespace: 'shop', uid: 'u', creationTimestamp: '' };
const prices: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data: { CURRENCY: 'EUR', VAT: '19' },
};
const keys: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { ...metadata, name: 'keys' },
  data: { TOKEN: Buffer.from('s3cret').toString('base64') },
};
const references = {
  configMap: (name: string) => (name === 'prices' ? prices : undefined),
  secret: (name: string) => (name === 'keys' ? keys : undefined),
};

function resolve(container: Partial<Container>) {
  const written: Container = { name: 'app', command: ['node'], ...container };
  const pod = newPod(
    {
      metadata: { name: 'cart', namespace: 'shop', labels: { team: 'checkout' } },
      spec: { containers: [written] },
      folder: '/srv/shop',
      workload: 'cart',
      workloadType: 'barepod',
    },
    node.name,
    'uid-11',
    0,
  );
  pod.podIp = '10.88.0.2';
  return resolveContainer(pod.spec.containers[0]!, 0, pod, {
    references,
    node,
    podDirectory: '/pods/uid-11',
  });
}

const env = (container: Partial<Container>) => Object.fromEntries(resolve(container).env);

describe('the environment of a container', () => {
  it('has envFrom first, then env, where the last of a name counts', () => {
    const found = env({
      envFrom: [{ configMapRef: { name: 'prices' } }, { prefix: 'KEY_', secretRef: { name: 'keys' } }],
      env: [{ name: 'VAT', value: '7' }],
    });
    expect(found).toEqual({ HOSTNAME: 'cart', CURRENCY: 'EUR', VAT: '7', KEY_TOKEN: 's3cret' });
  });

  it('may use what came before it', () => {
    const found = env({
      env: [
        { name: 'HOST', value: 'db' },
        { name: 'URL', value: 'http://$(HOST)/$(LATER)/$$(HOST)' },
        { name: 'LATER', value: 'x' },
      ],
    });
    expect(found.URL).toBe('http://db/$(LATER)/$(HOST)');
  });

  it('knows the pod and its resources', () => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    const resource = (name: string, what: string, divisor?: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource: what, ...(divisor === undefined ? {} : { divisor }) } },
    });
    const found = env({
      resources: { limits: { memory: '64Mi' }, requests: { cpu: '1500m', 'ephemeral-storage': '3Mi' } },
      env: [
        field('NAME', 'metadata.name'),
        field('TEAM', "metadata.labels['team']"),
        field('NODE', 'spec.nodeName'),
        field('IP', 'status.podIP'),
        resource('MEMORY', 'limits.memory', '1Mi'),
        resource('REQUEST', 'requests.cpu'),
        resource('CORES', 'limits.cpu'),
        resource('DISK', 'requests.ephemeral-storage', '1Ki'),
      ],
    });
    expect(found).toMatchObject({
      NAME: 'cart',
      TEAM: 'checkout',
      NODE: 'node-11',
      IP: '10.88.0.2',
      MEMORY: '64',
      REQUEST: '2',
      CORES: '4',
      DISK: '3072',
    });
  });

  it('names what is missing, unless it is optional', () => {
    const ref = (key: string, optional?: true) => ({
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key, ...(optional && { optional }) } } }],
    });
    expect(() => env(ref('NONE'))).toThrow("couldn't find key NONE in Secret shop/keys");
    expect(() => env({ envFrom: [{ secretRef: { name: 'none' } }] })).toThrow('secret "none" not found');
    expect(env(ref('NONE', true))).not.toHaveProperty('A');
  });
});

describe('a container on the host', () => {
  it('starts in the folder of its manifest, which it sees read-only', () => {
    expect(resolve({ args: ['$(HOSTNAME).mjs'] })).toMatchObject({
      command: ['node', 'cart.mjs'],
      workingDir: '/srv/shop',
      mounts: [{ source: '/srv/shop', target: '/srv/shop', readOnly: true }],
    });
  });
});

describe('expansion', () => {
  it.each([
    ['$(A)', '1'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$(B)', '$(B)'],
    ['$A $', '$A $'],
  ])('%s gives %s', (text, want) =>
    expect(expand(text, (name) => (name === 'A' ? '1' : undefined))).toBe(want),
  );
});
