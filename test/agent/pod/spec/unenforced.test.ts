import { describe, expect, it } from 'vitest';
import { describeEnforcement } from '../../../../src/agent/pod/runtime/process/capability.ts';
import { askedInVain } from '../../../../src/agent/pod/spec/unenforced.ts';
import type { Container, PodSpec } from '../../../../src/model/kubernetes.ts';

/** A user without any cgroup of its own. */
const { notEnforced: plain } = describeEnforcement({
  user: 'uid 1000',
  cgroups: { mode: 'v2', paths: {}, enforces: new Set(), delegates: [] },
  delegation: { level: 'plain', why: 'no session', remedy: 'log in' },
  namespaces: false,
  root: 'shared',
  routed: false,
  setpriv: true,
});
const spec = (container: Partial<Container>, rest: Partial<PodSpec> = {}): PodSpec => ({
  containers: [{ name: 'app', ...container }],
  ...rest,
});

describe('what a pod asks for and does not get', () => {
  it('is named by its fields', () => {
    expect(
      askedInVain(
        spec(
          {
            resources: { limits: { memory: '64Mi' }, requests: { memory: '64Mi' } },
            securityContext: { runAsUser: 1234, readOnlyRootFilesystem: true },
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
            ports: [{ containerPort: 80, hostPort: 8080 }],
          },
          { hostname: 'cart', dnsPolicy: 'ClusterFirst' },
        ),
        plain,
      ),
    ).toEqual([
      'resources.limits.memory',
      'volumeMounts',
      'hostname',
      'securityContext.runAsUser',
      'securityContext.readOnlyRootFilesystem',
      'hostPort',
    ]);
  });

  it('is nothing for a pod that asks for nothing, whatever the host lacks', () => {
    expect(askedInVain(spec({}), plain)).toEqual([]);
    expect(askedInVain(spec({ securityContext: { seccompProfile: { type: 'Unconfined' } } }), plain)).toEqual(
      [],
    );
  });

  it('counts what the pod asks for all its containers, and init containers', () => {
    const seccompProfile = { type: 'RuntimeDefault' };
    const only = ['securityContext.seccompProfile'];
    expect(askedInVain(spec({}, { securityContext: { seccompProfile } }), only)).toEqual(only);
    expect(
      askedInVain(
        spec({}, { initContainers: [{ name: 'init', securityContext: { seccompProfile } }] }),
        only,
      ),
    ).toEqual(only);
    expect(askedInVain(spec({}, { securityContext: { seccompProfile } }), [])).toEqual([]);
  });
});
