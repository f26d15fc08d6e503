import { describe, expect, it } from 'vitest';
import {
  type DelegationFacts,
  decideDelegation,
  delegationRemedy,
} from '../../../src/agent/host/delegation.ts';
import { describeEnforcement } from '../../../src/agent/pod/runtime/process/capability.ts';
import { enterScope } from '../../../src/cli/scope.ts';

const ALL = new Set(['cpu', 'memory', 'pids']);
/** Somebody at a terminal of a host with systemd and cgroup v2. */
const USER: DelegationFacts = {
  platform: 'linux',
  uid: 1000,
  mode: 'v2',
  enforces: new Set(),
  shared: true,
  systemd: true,
  systemdRun: '/usr/bin/systemd-run',
  userRuntime: '/run/user/1000',
  entered: false,
};
const decide = (facts: Partial<DelegationFacts>) => decideDelegation({ ...USER, ...facts });

describe('by which right cgroups are made', () => {
  it('root needs none', () => {
    expect(decide({ uid: 0 })).toEqual({ level: 'root' });
    expect(decide({ uid: 0, mode: 'none' })).toEqual({ level: 'root' });
  });

  it('a user of systemd gets a scope of its own, once', () => {
    expect(decide({})).toEqual({
      level: 'scope',
      userRuntime: '/run/user/1000',
      words: [
        '/usr/bin/systemd-run',
        '--user',
        '--scope',
        '--quiet',
        '--collect',
        '-p',
        'Delegate=yes',
        '--',
      ],
    });
    expect(decide({ entered: true, enforces: ALL })).toEqual({ level: 'delegated' });
    expect(decide({ entered: true })).toMatchObject({
      level: 'plain',
      remedy: expect.stringContaining('Delegate=cpu'),
    });
  });

  it('a cgroup that is ours alone is enough; that of the terminal is not for pods', () => {
    expect(decide({ enforces: ALL, shared: false })).toEqual({ level: 'delegated' });
    expect(decide({ enforces: ALL, shared: true })).toMatchObject({ level: 'scope' });
    expect(decide({ enforces: ALL, shared: true, systemd: false })).toEqual({ level: 'delegated' });
    expect(decide({ enforces: ALL, mode: 'hybrid' })).toEqual({ level: 'delegated' });
  });

  it('else pods are plain processes, with why and what would better it', () => {
    const { userRuntime: _none, ...withoutBus } = USER;
    expect(decideDelegation(withoutBus)).toMatchObject({
      level: 'plain',
      remedy: expect.stringContaining('loginctl enable-linger 1000'),
    });
    const { systemdRun: _program, ...withoutProgram } = USER;
    expect(decideDelegation(withoutProgram)).toMatchObject({
      level: 'plain',
      why: 'systemd-run is not installed',
    });
    expect(decide({ systemd: false })).toMatchObject({
      level: 'plain',
      remedy: expect.stringContaining('chown -R 1000 '),
    });
    expect(decide({ mode: 'hybrid' })).toMatchObject({
      level: 'plain',
      remedy: expect.stringContaining('unified_cgroup_hierarchy=1'),
    });
    expect(decide({ mode: 'none' })).toMatchObject({ level: 'plain', why: 'no cgroups are mounted' });
  });

  it('says how to get the controllers that systemd keeps back', () => {
    expect(delegationRemedy({ level: 'delegated' }, new Set(['memory', 'pids']))).toContain(
      'Delegate=cpu cpuset io memory pids',
    );
    expect(delegationRemedy({ level: 'delegated' }, ALL)).toBeUndefined();
  });

  it('on macOS pods are plain processes, and it is said', () => {
    const delegation = decide({ platform: 'darwin', uid: 501, mode: 'none', systemd: false });
    expect(delegation).toMatchObject({ level: 'plain', why: 'darwin has no cgroups' });
    const { level, notEnforced, remedy } = describeEnforcement({
      user: 'uid 501',
      cgroups: { mode: 'none', paths: {}, enforces: new Set(), delegates: [] },
      delegation,
      namespaces: false,
      root: 'shared',
      routed: false,
      setpriv: false,
    });
    expect(level).toBe(
      "uid 501, no cgroups, no namespaces: pods share the host's network and processes, containers share the host's files",
    );
    expect(notEnforced).toEqual(
      expect.arrayContaining(['resources.limits.memory', 'volumeMounts', 'securityContext.runAsUser']),
    );
    expect(remedy).toContain('Linux');
  });
});

describe('the scope', () => {
  const enter = (systemdRun: string, facts: Partial<DelegationFacts> = {}) => {
    const errors: string[] = [];
    const reruns: { words: readonly string[]; env: NodeJS.ProcessEnv }[] = [];
    enterScope(
      {
        env: { PATH: '/bin' },
        err: (text) => void errors.push(text),
        rerun: (words, env) => void reruns.push({ words, env }),
      },
      { ...USER, systemdRun, ...facts },
    );
    return { errors, reruns };
  };

  it('is entered when a first try with nothing went well, with a mark against doing it again', () => {
    const { errors, reruns } = enter('/bin/true');
    expect(errors).toEqual([]);
    expect(reruns).toMatchObject([
      {
        words: ['/bin/true', '--user', '--scope', '--quiet', '--collect', '-p', 'Delegate=yes', '--'],
        env: { PODVITALS_SCOPE: '1', XDG_RUNTIME_DIR: '/run/user/1000' },
      },
    ]);
    expect(enter('/bin/true', { entered: true }).reruns).toEqual([]);
  });

  it('is done without, and said, where it cannot be had', () => {
    const { errors, reruns } = enter('/bin/false');
    expect(reruns).toEqual([]);
    expect(errors).toEqual([
      expect.stringMatching(/^podvitals: \/bin\/false opened no scope, so limits are not enforced: /),
    ]);
  });

  it('is nothing for root', () => expect(enter('/bin/true', { uid: 0 }).reruns).toEqual([]));
});
