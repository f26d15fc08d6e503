import { describe, expect, it } from 'vitest';
import { candidateBases, cgroupMode, parseCgroupMounts } from '../../../src/agent/host/cgroup-hierarchy.ts';

const mount = (root: string, point: string, type: string, options: string) =>
  `30 23 0:26 ${root} ${point} rw,nosuid shared:9 - ${type} ${type} rw,${options}`;

const V2 = mount('/', '/sys/fs/cgroup', 'cgroup2', 'nsdelegate');
const UNIFIED = mount('/', '/sys/fs/cgroup/unified', 'cgroup2', 'nsdelegate');
const MEMORY = mount('/', '/sys/fs/cgroup/memory', 'cgroup', 'memory');
const CPU = mount('/', '/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'cpu,cpuacct');
const SYSTEMD = mount('/', '/sys/fs/cgroup/systemd', 'cgroup', 'xattr,name=systemd');

const OWN_V2 = '0::/user.slice/app.scope\n';
const OWN_V1 = '4:memory:/jobs/7\n3:cpu,cpuacct:/\n1:name=systemd:/init.scope\n';

describe('cgroup hierarchies', () => {
  it.each([
    ['v2', [V2], OWN_V2],
    ['hybrid', [CPU, MEMORY, SYSTEMD, UNIFIED], `${OWN_V1}0::/\n`],
    ['v1', [CPU, MEMORY, SYSTEMD], OWN_V1],
    ['none', ['22 1 8:1 / / rw - ext4 /dev/sda1 rw'], ''],
  ] as const)('are told apart: %s', (mode, mounts, own) => {
    expect(cgroupMode(parseCgroupMounts(mounts.join('\n'), own))).toBe(mode);
  });

  it('that share controllers are one', () => {
    expect(parseCgroupMounts([CPU, MEMORY].join('\n'), OWN_V1)).toEqual([
      { version: 1, mountPoint: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'], ownPath: '/' },
      { version: 1, mountPoint: '/sys/fs/cgroup/memory', controllers: ['memory'], ownPath: '/jobs/7' },
    ]);
  });

  it('mounted twice count once', () => {
    const again = mount('/', '/other place', 'cgroup2', 'rw').replace('/other place', '/other\\040place');
    expect(parseCgroupMounts([V2, again].join('\n'), OWN_V2).map((found) => found.mountPoint)).toEqual([
      '/sys/fs/cgroup',
    ]);
    expect(parseCgroupMounts(again, OWN_V2)[0]?.mountPoint).toBe('/other place');
  });

  it('of which only a part is mounted give places within that part', () => {
    const part = mount('/docker/abc', '/sys/fs/cgroup', 'cgroup2', 'rw');
    expect(parseCgroupMounts(part, '0::/docker/abc/init\n')[0]?.ownPath).toBe('/init');
    expect(parseCgroupMounts(part, '0::/elsewhere\n')[0]?.ownPath).toBe('/');
  });

  it('are used from the top by root, else from the delegated place', () => {
    const [own] = parseCgroupMounts(V2, OWN_V2);
    expect(candidateBases(own!, true)).toEqual(['/sys/fs/cgroup', '/sys/fs/cgroup/user.slice/app.scope']);
    expect(candidateBases(own!, false)).toEqual(['/sys/fs/cgroup/user.slice/app.scope']);
  });
});
