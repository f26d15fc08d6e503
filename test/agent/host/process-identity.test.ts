import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  identifyProcess,
  isAlive,
  signalProcess,
  waitForEnd,
} from '../../../src/agent/host/process-identity.ts';
import { systemClock } from '../../../src/util/clock.ts';

describe.skipIf(process.platform !== 'linux')('the identity of a process', () => {
  it('holds while it lives, and not after', async () => {
    const child = spawn('sleep', ['1000']);
    const identity = identifyProcess(child.pid!)!;
    expect(isAlive(identity)).toBe(true);
    expect(await waitForEnd(identity, systemClock, 0)).toBe(false);
    expect(signalProcess(identity, 'SIGKILL')).toBe(true);
    await once(child, 'exit');
    expect(await waitForEnd(identity, systemClock, 0)).toBe(true);
    expect(signalProcess(identity, 'SIGKILL')).toBe(false);
  });

  it('is not that of another with the same pid', () => {
    const self = identifyProcess(process.pid)!;
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, startTicks: self.startTicks - 1 })).toBe(false);
    expect(signalProcess({ ...self, startTicks: self.startTicks - 1 }, 'SIGTERM')).toBe(false);
  });
});
