import { chownSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDebris, noDebris, type Owner, removeDebris } from '../../../../support/debris.ts';
import { type KillableAgent, startKillableAgent } from '../../../../support/killable-agent.ts';
import { notRoot } from '../../../../support/parts.ts';
import { containerConfig, newOwner, sandboxConfig, until } from '../../../../support/process-pods.ts';

const NOBODY = 65534;

// Root is needed to become somebody without any rights.
describe.skipIf(notRoot())('the process runtime without root', () => {
  let owner: Owner;
  let agent: KillableAgent;
  beforeEach(async () => {
    owner = newOwner();
    chownSync(owner.dataDir, NOBODY, NOBODY);
    agent = await startKillableAgent(owner, { uid: NOBODY, gid: NOBODY });
    await agent.call('adopt');
  });
  afterEach(async () => {
    await agent.kill();
    await removeDebris(owner);
  });

  it('says what it does not enforce', async () => {
    const { level, notEnforced } = await agent.call('enforcement');
    expect(level).toMatch(/^uid 65534, .*no namespaces/);
    expect(notEnforced).toEqual(
      expect.arrayContaining(['resources.limits.memory', 'resources.limits.cpu', 'hostname']),
    );
  });

  it('runs pods all the same, as that user', async () => {
    expect(await agent.call('runSandbox', sandboxConfig('web'))).toEqual({ podUid: 'web', cgroup: {} });
    const container = await agent.call(
      'startContainer',
      containerConfig('web', ['sh', '-c', 'id -u; sleep 1000 & exec sleep 1001'], {
        memoryLimitBytes: 64 << 20,
      }),
    );
    await until('its log', async () => (await agent.call('logs', 'web', 'main', 0, {}))[0]?.text === '65534');
    expect(
      await agent.call('exec', container.id, ['sh', '-c', 'exit 6'], { timeoutMs: 10_000 }),
    ).toMatchObject({ exitCode: 6 });
    await agent.call('stopContainer', container.id, 10_000);
    await until('the exit', () => agent.exits.length > 0);
    expect(agent.exits[0]).toMatchObject({ exitCode: 143, signal: 15 });
    await agent.call('removeSandbox', 'web');
    await agent.kill();
    expect(findDebris(owner)).toEqual(noDebris);
  });

  it('adopts them, too', async () => {
    await agent.call('runSandbox', sandboxConfig('web'));
    const container = await agent.call('startContainer', containerConfig('web', ['sleep', '1000']));
    await agent.kill();
    agent = await startKillableAgent(owner, { uid: NOBODY, gid: NOBODY });
    expect(await agent.call('adopt')).toMatchObject({
      sandboxes: [{ podUid: 'web' }],
      running: [container],
      exits: [],
    });
    await agent.call('removeSandbox', 'web');
  });
});
