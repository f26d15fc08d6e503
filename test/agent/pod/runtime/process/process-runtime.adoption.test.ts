import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDebris, noDebris, type Owner, removeDebris } from '../../../../support/debris.ts';
import { type KillableAgent, startKillableAgent } from '../../../../support/killable-agent.ts';
import { notRoot } from '../../../../support/parts.ts';
import { containerConfig, newOwner, sandboxConfig, until } from '../../../../support/process-pods.ts';

const COUNT = 'i=0; while :; do i=$((i + 1)); echo "line $i"; done';

describe.skipIf(notRoot())('a runtime that starts after one was killed', () => {
  let owner: Owner;
  let agents: KillableAgent[];
  const agent = async () => {
    const started = await startKillableAgent(owner);
    agents.push(started);
    return started;
  };
  beforeEach(() => {
    owner = newOwner();
    agents = [];
  });
  afterEach(async () => {
    await Promise.all(agents.map((started) => started.kill()));
    await removeDebris(owner);
  });

  it('finds sandboxes and running containers again', async () => {
    const first = await agent();
    await first.call('adopt');
    const sandbox = await first.call('runSandbox', sandboxConfig('web'));
    const container = await first.call('startContainer', containerConfig('web', ['sleep', '1000']));
    await first.kill();

    const second = await agent();
    expect(await second.call('adopt')).toEqual({ sandboxes: [sandbox], running: [container], exits: [] });
    expect(await second.call('exec', container.id, ['echo', 'here'], { timeoutMs: 10_000 })).toMatchObject({
      stdout: 'here\n',
    });
    process.kill(container.pid, 'SIGKILL');
    await until('the exit', () => second.exits.length > 0);
    expect(second.exits).toEqual([
      expect.objectContaining({
        containerId: container.id,
        exitCode: 137,
        signal: 9,
        startedAt: container.startedAt,
      }),
    ]);
  });

  it('tells of all deaths not removed yet, with code, OOM kills and time, heard of before or not', async () => {
    const first = await agent();
    await first.call('adopt');
    await first.call('runSandbox', sandboxConfig('web'));
    await first.call('startContainer', containerConfig('web', ['sh', '-c', 'exit 4'], { name: 'seen' }));
    const removed = await first.call(
      'startContainer',
      containerConfig('web', ['sh', '-c', 'exit 5'], { name: 'removed' }),
    );
    await until('both exits', () => first.exits.length > 1);
    await first.call('removeContainer', removed.id);
    const eater = await first.call(
      'startContainer',
      containerConfig('web', ['sh', '-c', 'sleep 0.5; exec tail /dev/zero'], {
        name: 'unseen',
        memoryLimitBytes: 24 << 20,
      }),
    );
    await first.kill();
    await until(
      'its death',
      () =>
        !findDebris(owner).processes.some(
          (line) => line.includes('tail /dev/zero') || line.includes('sleep 0.5'),
        ),
    );

    const second = await agent();
    const { exits, running } = await second.call('adopt');
    expect(running).toEqual([]);
    const told = new Map(exits.map((exit) => [exit.name, exit]));
    expect([...told.keys()].sort()).toEqual(['seen', 'unseen']);
    const seen = first.exits.find(({ name }) => name === 'seen');
    expect(told.get('seen')).toEqual(seen);
    const unseen = told.get('unseen')!;
    expect(unseen).toMatchObject({ containerId: eater.id, exitCode: 137, signal: 9, oomKills: 1 });
    expect(unseen.finishedAt).toBeGreaterThanOrEqual(eater.startedAt);
    expect(unseen.finishedAt).toBeLessThanOrEqual(Date.now());
  });

  it('goes on with logs without a lost or doubled line', async () => {
    const first = await agent();
    await first.call('adopt');
    await first.call('runSandbox', sandboxConfig('web'));
    const { id } = await first.call(
      'startContainer',
      containerConfig('web', [
        'sh',
        '-c',
        `trap 'exit 0' TERM; ${COUNT.replace('done', 'sleep 0.001; done')}`,
      ]),
    );
    const last = async (runtime: KillableAgent) =>
      Number(/\d+/.exec((await runtime.call('logs', 'web', 'main', 0, { tail: 1 }))[0]?.text ?? '0'));
    let running = first;
    for (let kill = 0; kill < 4; kill += 1) {
      const before = await last(running);
      await until('more lines', async () => (await last(running)) > before + 50);
      await running.kill();
      running = await agent();
      await running.call('adopt');
    }
    await running.call('stopContainer', id, 5000);
    const lines = await running.call('logs', 'web', 'main', 0, {});
    expect(lines.length).toBeGreaterThan(200);
    expect(lines.map((line) => line.text)).toEqual(lines.map((_, index) => `line ${index + 1}`));
  });

  it('keeps output within bounds while no agent is there', async () => {
    const first = await agent();
    await first.call('adopt');
    await first.call('runSandbox', sandboxConfig('web'));
    const container = await first.call(
      'startContainer',
      containerConfig('web', ['sh', '-c', 'yes | head -c 200000000; echo; echo last; sleep 1000']),
    );
    await first.kill();
    const second = await agent();
    await second.call('adopt');
    const [line] = await until('the last line', async () => {
      const lines = await second.call('logs', 'web', 'main', 0, { tail: 1 });
      return lines[0]?.text === 'last' && lines;
    });
    expect(line!.stream).toBe('stdout');
    await second.call('stopContainer', container.id, 0);
  });

  it('reports a sandbox whose infra process died as gone, and its containers as dead', async () => {
    const first = await agent();
    await first.call('adopt');
    const sandbox = await first.call('runSandbox', sandboxConfig('web'));
    const container = await first.call('startContainer', containerConfig('web', ['sleep', '1000']));
    const volume = join(await first.call('podDirectory', 'web'), 'volume');
    writeFileSync(volume, 'kept');
    await first.kill();
    process.kill(sandbox.pid!, 'SIGKILL');

    const second = await agent();
    const adopted = await second.call('adopt');
    expect(adopted).toMatchObject({
      sandboxes: [],
      running: [],
      exits: [{ containerId: container.id, exitCode: 137 }],
    });
    const again = await second.call('runSandbox', sandboxConfig('web'));
    expect(again.pid).not.toBe(sandbox.pid);
    await second.call('removeSandbox', 'web');
    await second.kill();
    expect(findDebris(owner)).toEqual(noDebris);
  });

  it('clears away what was half made', async () => {
    mkdirSync(join(owner.dataDir, 'pods/half/runtime'), { recursive: true });
    writeFileSync(join(owner.dataDir, 'pods/half/runtime/sandbox.json'), '{"config":');
    const first = await agent();
    const starting = [0, 1, 2].map((index) =>
      first.call('runSandbox', sandboxConfig(`pod${index}`)).catch(() => undefined),
    );
    await until('a cgroup', () => findDebris(owner).cgroups.length > 2);
    await first.kill();
    await Promise.all(starting);

    const second = await agent();
    const { sandboxes } = await second.call('adopt');
    for (const { podUid } of sandboxes) await second.call('removeSandbox', podUid);
    await second.kill();
    expect(findDebris(owner)).toEqual(noDebris);
  });

  it('gives no address twice', async () => {
    const first = await agent();
    await first.call('adopt');
    const one = await first.call('runSandbox', sandboxConfig('one'));
    await first.kill();
    const second = await agent();
    await second.call('adopt');
    const two = await second.call('runSandbox', sandboxConfig('two'));
    expect(two.ip).toBeDefined();
    expect(two.ip).not.toBe(one.ip);
  });
});
