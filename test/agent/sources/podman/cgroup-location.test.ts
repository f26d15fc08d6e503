import { describe, expect, it } from 'vitest';
import type { CgroupMount } from '../../../../src/agent/host/cgroup-hierarchy.ts';
import { locateCgroups } from '../../../../src/agent/sources/podman/cgroup-location.ts';

const ID = '5561c96ba47b4be5308dffecc391f50a167e062c3be43c4fd37e76cab3d83122';
const POD = '390b22f28e0ef46971e969766481189ef939117db73a47a6484379ff95428d37';
const V2: readonly CgroupMount[] = [
  { version: 2, mountPoint: '/sys/fs/cgroup', controllers: [], ownPath: '/' },
];
const HYBRID: readonly CgroupMount[] = [
  { version: 1, mountPoint: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'], ownPath: '/' },
  { version: 1, mountPoint: '/sys/fs/cgroup/memory', controllers: ['memory'], ownPath: '/' },
  { version: 2, mountPoint: '/sys/fs/cgroup/unified', controllers: [], ownPath: '/' },
];

describe('where the cgroups of Podman’s containers are', () => {
  it('with the cgroupfs manager, in a pod, on a hybrid host', () => {
    const path = `/libpod_parent/${POD}/libpod-${ID}`;
    expect(
      locateCgroups(
        `9:cpu,cpuacct:${path}\n4:memory:${path}\n1:name=systemd:${path}\n0::${path}\n`,
        HYBRID,
        ID,
        POD,
      ),
    ).toEqual({
      container: {
        cpu: `/sys/fs/cgroup/cpu,cpuacct${path}`,
        cpuacct: `/sys/fs/cgroup/cpu,cpuacct${path}`,
        memory: `/sys/fs/cgroup/memory${path}`,
        unified: `/sys/fs/cgroup/unified${path}`,
      },
      pod: {
        cpu: `/sys/fs/cgroup/cpu,cpuacct/libpod_parent/${POD}`,
        cpuacct: `/sys/fs/cgroup/cpu,cpuacct/libpod_parent/${POD}`,
        memory: `/sys/fs/cgroup/memory/libpod_parent/${POD}`,
        unified: `/sys/fs/cgroup/unified/libpod_parent/${POD}`,
      },
    });
  });

  it('with the cgroupfs manager, outside any pod', () =>
    expect(locateCgroups(`0::/libpod_parent/libpod-${ID}\n`, V2, ID, '')).toEqual({
      container: { unified: `/sys/fs/cgroup/libpod_parent/libpod-${ID}` },
      pod: {},
    }));

  it('with the systemd manager: slices for pods, a scope each, and crun’s inner group', () =>
    expect(
      locateCgroups(
        `0::/machine.slice/machine-libpod_pod_${POD}.slice/libpod-${ID}.scope/container\n`,
        V2,
        ID,
        POD,
      ),
    ).toEqual({
      container: {
        unified: `/sys/fs/cgroup/machine.slice/machine-libpod_pod_${POD}.slice/libpod-${ID}.scope`,
      },
      pod: { unified: `/sys/fs/cgroup/machine.slice/machine-libpod_pod_${POD}.slice` },
    }));

  it('of a rootless Podman, below its user’s service', () => {
    const user = '/user.slice/user-1000.slice/user@1000.service/user.slice';
    expect(locateCgroups(`0::${user}/libpod-${ID}.scope/container\n`, V2, ID, '')).toEqual({
      container: { unified: `/sys/fs/cgroup${user}/libpod-${ID}.scope` },
      pod: {},
    });
    expect(
      locateCgroups(`0::${user}/user-libpod_pod_${POD}.slice/libpod-${ID}.scope\n`, V2, ID, POD).pod,
    ).toEqual({ unified: `/sys/fs/cgroup${user}/user-libpod_pod_${POD}.slice` });
  });

  it('nowhere for a process that is not in a group of that container', () =>
    expect(locateCgroups('0::/user.slice/session-1.scope\n', V2, ID, '')).toEqual({
      container: {},
      pod: {},
    }));
});
