import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProcessRuntime } from '../../../../../src/agent/pod/runtime/process/process-runtime.ts';
import { systemClock } from '../../../../../src/util/clock.ts';
import { notRoot } from '../../../../support/parts.ts';
import { createTestRuntime, type TestRuntime, until } from '../../../../support/process-pods.ts';

const MIB = 1024 * 1024;

describe.skipIf(notRoot())('a runtime that takes over from one that was closed', () => {
  let first: TestRuntime;
  const runtimes: { close(): Promise<void> }[] = [];
  beforeEach(async () => {
    first = await createTestRuntime();
  });
  afterEach(async () => {
    await Promise.all(runtimes.splice(0).map((runtime) => runtime.close()));
    await first.dispose();
  });

  it('has its pods, goes on watching them, and learns of each death and its OOM kills', async () => {
    const sandbox = await first.pod('web');
    const told = await first.run('web', ['sh', '-c', 'exit 4'], { name: 'told' });
    const lasting = await first.start('web', ['sleep', '1000'], { name: 'lasting' });
    const eater = await first.start('web', ['sh', '-c', 'sleep 2; exec tail /dev/zero'], {
      name: 'eater',
      memoryLimitBytes: 24 * MIB,
    });
    await first.runtime.close();

    const runtime = await createProcessRuntime({ ...first.owner, clock: systemClock });
    runtimes.push(runtime);
    const later: string[] = [];
    const kills = new Map<string, number | undefined>();
    runtime.onExit((exit) => {
      later.push(exit.name);
      kills.set(exit.name, exit.oomKills);
    });
    const { sandboxes, running, exits } = await runtime.adopt();
    for (const exit of exits) kills.set(exit.name, exit.oomKills);
    expect(sandboxes).toEqual([sandbox]);
    expect(running).toContainEqual(lasting);
    expect(exits).toContainEqual(told.exit);
    await until('the OOM kill', () => kills.has(eater.name));
    expect(kills.get('eater')).toBe(1);
    await runtime.stopContainer(lasting.id, 0);
    await until('the last exit', () => later.includes('lasting'));
    await runtime.removeSandbox('web');
  });
});
