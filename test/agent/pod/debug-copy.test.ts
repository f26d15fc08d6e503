import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { debugCopy, originalCommand } from '../../../src/agent/pod/debug-copy.ts';
import { debugCommands } from '../../../src/cli/debug-commands.ts';
import type { Pod } from '../../../src/model/kubernetes.ts';

const probe = { httpGet: { path: '/healthz', port: 8080 } };
const cart = {
  metadata: {
    namespace: 'shop',
    name: 'cart-5d9c-x7',
    labels: { app: 'cart' },
    ownerReferences: [{ kind: 'ReplicaSet' }],
  },
  spec: {
    nodeName: 'n1',
    restartPolicy: 'Always',
    volumes: [{ name: 'data', emptyDir: {} }],
    initContainers: [{ name: 'migrate', command: ['migrate'] }],
    containers: [
      {
        name: 'cart',
        command: ['node', 'cart.mjs'],
        args: ['--port', '8080'],
        env: [{ name: 'PORT', value: '8080' }],
        ports: [{ containerPort: 8080, hostPort: 80 }],
        resources: { limits: { memory: '64Mi' } },
        livenessProbe: probe,
        readinessProbe: probe,
        startupProbe: probe,
        lifecycle: { preStop: { exec: { command: ['sleep', '60'] } } },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
      { name: 'proxy' },
    ],
  },
} as unknown as Pod;
const copy = (mode: 'sleep' | 'run', container?: string) =>
  debugCopy(cart, { mode, container, deadlineSeconds: 60, suffix: 'abc12' }) as Pod;

describe('a copy to look around in', () => {
  it('is nobody’s: no labels a Service selects, no owner, no node, no restart, and an end', () => {
    const { metadata, spec } = copy('sleep');
    expect(metadata).toEqual({
      name: 'cart-5d9c-x7-debug-abc12',
      namespace: 'shop',
      labels: { 'podvitals.dev/debug': 'sleep' },
      annotations: { 'podvitals.dev/debug-of': 'shop/cart-5d9c-x7' },
    });
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      activeDeadlineSeconds: 60,
      terminationGracePeriodSeconds: 1,
    });
    expect(spec).not.toHaveProperty('nodeName');
    expect(spec).not.toHaveProperty('initContainers');
  });

  it('has a place beside the pod, whatever that keeps away from', () => {
    const terms = {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'host', labelSelector: {} }],
    };
    const shy = {
      ...cart,
      spec: {
        ...cart.spec,
        affinity: { nodeAffinity: {}, podAffinity: terms, podAntiAffinity: terms },
        topologySpreadConstraints: [{ topologyKey: 'host', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }],
      },
    } as Pod;
    const { spec } = debugCopy(shy, { mode: 'sleep', deadlineSeconds: 60, suffix: 'abc12' }) as Pod;
    expect(spec.affinity).toEqual({ nodeAffinity: {} });
    expect(spec).not.toHaveProperty('topologySpreadConstraints');
  });

  it('has one container as it was, but for probes, hooks, host ports and its command', () => {
    const [container, ...others] = copy('sleep').spec.containers;
    expect(others).toEqual([]);
    expect(container).toEqual({
      name: 'cart',
      command: ['sh', '-c', expect.stringContaining('sleep')],
      env: [{ name: 'PORT', value: '8080' }],
      ports: [{ containerPort: 8080 }],
      resources: { limits: { memory: '64Mi' } },
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    });
    expect(originalCommand(cart, 'cart')).toEqual(['node', 'cart.mjs', '--port', '8080']);
  });

  it('keeps its command for one try without probes', () => {
    const [container] = copy('run').spec.containers;
    expect(container).toMatchObject({ command: ['node', 'cart.mjs'], args: ['--port', '8080'] });
    expect(container).not.toHaveProperty('livenessProbe');
  });

  it('may be of an init container; of one that does not exist it names those there are', () => {
    expect(copy('run', 'migrate').spec.containers).toMatchObject([{ name: 'migrate' }]);
    expect(() => copy('run', 'crat')).toThrow(
      /crat is not in pod cart-5d9c-x7; it has: cart, proxy, migrate/,
    );
  });

  it('has a name that fits, whatever the pod is called', () => {
    const long = { ...cart, metadata: { ...cart.metadata, name: `${'a'.repeat(49)}.-bcd${'e'.repeat(30)}` } };
    const { metadata } = debugCopy(long, { mode: 'run', deadlineSeconds: 1, suffix: 'abc12' }) as Pod;
    expect(metadata.name).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
    expect(metadata.name.length).toBeLessThanOrEqual(63);
  });
});

describe('commands for pods that others run', () => {
  const stubs = ['kubectl', 'podman', 'docker', 'crictl', 'nsenter']
    .map((tool) => `${tool}() { printf '%s\\n' "$@"; }`)
    .join('; ');

  it.each(['kubernetes', 'podman', 'docker', 'cri'] as const)(
    '%s: a name is one word, whatever is in it',
    (source) => {
      const name = "x'; echo BROKEN; '";
      const lines = debugCommands(source, { namespace: 'shop', name, container: undefined });
      const typed = lines.filter((line) => line.startsWith('  '));
      expect(typed.length).toBeGreaterThan(1);
      for (const line of typed) {
        const said = execFileSync('sh', ['-c', `${stubs}; ${line}`], { encoding: 'utf8' });
        expect(said.split('\n'), line).not.toContain('BROKEN');
        expect(said, line).toContain("'; echo BROKEN; '");
      }
    },
  );
});
