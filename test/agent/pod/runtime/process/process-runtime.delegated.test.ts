import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cgroupMode,
  readCgroupMounts,
  V1_CONTROLLERS,
} from '../../../../../src/agent/host/cgroup-hierarchy.ts';
import { findDebris, type Owner, removeDebris } from '../../../../support/debris.ts';
import { type KillableAgent, startKillableAgent } from '../../../../support/killable-agent.ts';
import { missing, notRoot } from '../../../../support/parts.ts';
import { containerConfig, newOwner, sandboxConfig, until } from '../../../../support/process-pods.ts';

/** A user of nobody's, without a name. */
const USER = 61_234;
const MIB = 2 ** 20;
const EAT = 'const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1));';

/** Makes a cgroup in every hierarchy and gives it to the user, as systemd does with `Delegate=yes`. */
function delegateCgroup(name: string): readonly string[] {
  const mounts = readCgroupMounts();
  const used = mounts.filter(
    ({ version, controllers }) =>
      version === 2 || controllers.some((it) => (V1_CONTROLLERS as readonly string[]).includes(it)),
  );
  return used.map(({ version, mountPoint }) => {
    if (version === 2 && cgroupMode(mounts) === 'v2')
      writeFileSync(join(mountPoint, 'cgroup.subtree_control'), '+cpu +memory +pids');
    const folder = join(mountPoint, name);
    mkdirSync(folder);
    for (const file of ['', 'cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'])
      if (existsSync(join(folder, file))) chownSync(join(folder, file), USER, USER);
    return join(folder, 'cgroup.procs');
  });
}

// Root is needed to delegate, and to become somebody without any rights.
describe.skipIf(notRoot() || missing('setpriv'))(
  'the process runtime without root, with a cgroup of its own',
  () => {
    let owner: Owner;
    let agent: KillableAgent;
    beforeEach(async () => {
      owner = newOwner();
      chownSync(owner.dataDir, USER, USER);
      const cgroups = delegateCgroup(owner.cgroupParent);
      agent = await startKillableAgent(owner, { uid: USER, gid: USER, cgroups });
      await agent.call('adopt');
    });
    afterEach(async () => {
      await agent.kill();
      await removeDebris(owner);
    });

    it('enforces limits, and says so', async () => {
      const { level, notEnforced, remedy } = await agent.call('enforcement');
      expect(level).toMatch(/^uid 61234, cgroup .*delegated to us/);
      expect(notEnforced.filter((field) => field.startsWith('resources'))).toEqual([]);
      expect(notEnforced).not.toContain('the limit of processes');
      expect(remedy).toBeUndefined();
    });

    it('kills who needs more memory than it may have, counts the kill, and leaves no cgroup', async () => {
      const sandbox = await agent.call('runSandbox', sandboxConfig('web'));
      expect(Object.values(sandbox.cgroup)).not.toEqual([]);
      const limits = { memoryLimitBytes: 96 * MIB };
      const greedy = await agent.call('startContainer', containerConfig('web', ['node', '-e', EAT], limits));
      await until('its end', () => agent.exits.length > 0);
      expect(agent.exits[0]).toMatchObject({ containerId: greedy.id, exitCode: 137, oomKills: 1 });
      await agent.call('removeSandbox', 'web');
      // What is left is the agent itself, and what was delegated.
      const left = findDebris(owner);
      expect(left.processes.map((line) => Number(line.split(' ')[0]))).toEqual([agent.pid]);
      expect(left.cgroups.filter((path) => path.includes('/web'))).toEqual([]);
    });

    it('ends all that a container started, by its cgroup', async () => {
      await agent.call('runSandbox', sandboxConfig('web'));
      const script = 'setsid sleep 4321 & exec sleep 4322';
      const container = await agent.call('startContainer', containerConfig('web', ['sh', '-c', script]));
      const sleeper = () => findDebris(owner).processes.filter((line) => /sleep 4321$/.test(line));
      await until('the process that left its session', () => sleeper().length === 1 || undefined);
      await agent.call('stopContainer', container.id, 0);
      expect(sleeper()).toEqual([]);
    });
  },
);
