// Source: kubernetes/pkg/kubelet/kuberuntime/{security_context,kuberuntime_sandbox_linux}.go;
// kubernetes/pkg/securitycontext/util.go, DetermineEffectiveSecurityContext
import { afterEach, describe, expect, it } from 'vitest';
import { defaultNodeSettings } from '../../../src/agent/pod/node/node-settings.ts';
import type { PodSpec } from '../../../src/model/kubernetes.ts';
import { podStatusWord } from '../../../src/model/pod-status-word.ts';
import { container, createStory, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

/** What the runtime is asked for by a pod of this spec, and by its container. */
async function asked(spec: Partial<PodSpec>) {
  story = await createStory();
  await story.apply(pod(spec));
  await story.advance(1);
  const found = story.runtime.asked('cart')!;
  return { sandbox: found.sandbox, app: found.container('app') };
}

/** Every row of the isolation suite of real runtimes, as what they are asked for. */
describe('what a manifest asks of isolation reaches the runtime', () => {
  it('user, group and groups: the container’s before the pod’s', async () => {
    const { app } = await asked({
      securityContext: { runAsUser: 1, runAsGroup: 2345, supplementalGroups: [3456], fsGroup: 4567 },
      containers: [container('app', { securityContext: { runAsUser: 1234 } })],
    });
    expect(app.security).toEqual({ uid: 1234, gid: 2345, groups: [3456, 4567] });
  });

  it('capabilities, privileges, the root file system, the filter of system calls', async () => {
    const { app } = await asked({
      securityContext: { seccompProfile: { type: 'Unconfined' } },
      containers: [
        container('app', {
          securityContext: {
            capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            seccompProfile: { type: 'Localhost', localhostProfile: 'cart.json' },
          },
        }),
      ],
    });
    expect(app.security).toEqual({
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
      noNewPrivileges: true,
      readOnlyRoot: true,
      seccomp: { file: 'cart.json' },
    });
  });

  it('kernel parameters, by their names with dots', async () => {
    const { sandbox } = await asked({
      securityContext: { sysctls: [{ name: 'net/ipv4/tcp_fin_timeout', value: '7' }] },
    });
    expect(sandbox.sysctls).toEqual({ 'net.ipv4.tcp_fin_timeout': '7' });
  });

  it('nothing where nothing is asked for: the rest is the runtime’s own', async () => {
    const { sandbox, app } = await asked({});
    expect(app.security).toBeUndefined();
    expect(sandbox).toEqual({
      podUid: expect.any(String),
      namespace: 'shop',
      name: 'cart',
      hostname: 'cart',
      hostNetwork: false,
    });
  });

  it('namespaces and ports of the host', async () => {
    const { sandbox } = await asked({
      hostIPC: true,
      shareProcessNamespace: true,
      containers: [
        container('app', {
          ports: [
            { containerPort: 53, hostPort: 5353, protocol: 'UDP' },
            { containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1' },
          ],
        }),
      ],
    });
    expect(sandbox).toMatchObject({
      hostIpc: true,
      shareProcessNamespace: true,
      hostPorts: [
        { hostPort: 5353, containerPort: 53, protocol: 'UDP' },
        { hostPort: 8080, containerPort: 80, protocol: 'TCP', hostIp: '127.0.0.1' },
      ],
    });
    expect(sandbox.hostPid).toBeUndefined();
  });

  it('memory volumes with their size, at most what the pod may have, and mounts, read-only where asked', async () => {
    const { sandbox, app } = await asked({
      volumes: [
        { name: 'cache', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'wide', emptyDir: { medium: 'Memory' } },
        { name: 'host', hostPath: { path: '/tmp' } },
      ],
      containers: [
        container('app', {
          resources: { limits: { memory: '64Mi' } },
          volumeMounts: [
            { name: 'cache', mountPath: '/cache' },
            { name: 'host', mountPath: '/host', readOnly: true },
          ],
        }),
      ],
    });
    expect(sandbox.memoryVolumes).toEqual([
      { path: expect.stringMatching(/cache$/), mode: 0o777, sizeBytes: 2 ** 20 },
      { path: expect.stringMatching(/wide$/), mode: 0o777, sizeBytes: 64 * 2 ** 20 },
    ]);
    expect(app.mounts).toEqual(
      expect.arrayContaining([
        { source: sandbox.memoryVolumes![0]!.path, target: '/cache', readOnly: false },
        { source: '/tmp', target: '/host', readOnly: true },
      ]),
    );
  });
});

// Source: kubernetes/pkg/kubelet/sysctl/allowlist.go; kubelet.go, rejectPod
describe('a pod whose kernel parameters the node does not allow', () => {
  const sysctl = (name: string, spec: Partial<PodSpec> = {}) =>
    pod({ securityContext: { sysctls: [{ name, value: '1' }] }, ...spec });

  it.each([
    [sysctl('net.core.somaxconn'), 'forbidden sysctl: "net.core.somaxconn" not allowlisted'],
    // Of the whole kernel, whatever is allowed.
    [sysctl('vm.swappiness'), 'forbidden sysctl: "vm.swappiness" not allowlisted'],
    [
      sysctl('net.ipv4.tcp_rmem', { hostNetwork: true }),
      'forbidden sysctl: "net.ipv4.tcp_rmem" not allowed with host network enabled',
    ],
    [
      sysctl('kernel.shm_rmid_forced', { hostIPC: true }),
      'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
    ],
  ])('fails before anything of it runs: %#', async (manifest, message) => {
    const nodeSettings = { ...defaultNodeSettings('node-11'), allowedSysctls: ['vm.*'] };
    story = await createStory({ nodeSettings });
    await story.apply(manifest);
    await story.advance(60);
    expect(story.pod().status).toMatchObject({
      phase: 'Failed',
      reason: 'SysctlForbidden',
      message: `Pod was rejected: ${message}`,
    });
    expect(story.pod().status.containerStatuses).toBeUndefined();
    expect(podStatusWord(story.pod())).toBe('SysctlForbidden');
    expect(story.runtime.calls).toEqual([]);
    expect(story.transitions).toContainEqual(expect.objectContaining({ kind: 'rejected', message }));
  });

  // Source: kubernetes/pkg/kubelet/lifecycle/predicate.go, rejectPodAdmissionBasedOnOSField
  it('fails when it is for another operating system', async () => {
    story = await createStory();
    await story.apply(pod({ os: { name: 'windows' } }));
    await story.advance(1);
    expect(story.pod().status).toMatchObject({
      phase: 'Failed',
      reason: 'PodOSNotSupported',
      message: "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS",
    });
  });

  it('runs where the configuration allows them', async () => {
    const nodeSettings = { ...defaultNodeSettings('node-11'), allowedSysctls: ['net.core.*'] };
    story = await createStory({ nodeSettings });
    await story.apply(sysctl('net.core.somaxconn'));
    await story.advance(1);
    expect(story.pod().status.phase).toBe('Running');
  });
});
