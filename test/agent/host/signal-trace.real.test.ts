import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { openSignalTrace, type SignalTrace } from '../../../src/agent/host/signal-trace.ts';
import { notRoot } from '../../support/parts.ts';

let trace: SignalTrace | undefined;
afterEach(() => trace?.close());

describe.skipIf(notRoot())("the kernel's trace of signals", () => {
  it('tells who sent a signal to whom, also when the sender is gone', async (context) => {
    trace = await openSignalTrace();
    if (!trace) return context.skip('no tracefs here, or the pids of another namespace');
    const victim = spawn('sleep', ['60']);
    const closed = once(victim, 'close');
    const killer = spawn('sh', ['-c', `sleep 0.05; env kill -TERM ${victim.pid}`]);
    await Promise.all([closed, once(killer, 'close')]);
    const events = trace.read();
    const sent = events.find((event) => event.kind === 'signal' && event.target === victim.pid);
    expect(sent).toMatchObject({ signal: 15, targetCommand: 'sleep', senderCommand: 'kill' });
    const makers = new Map(events.flatMap((it) => (it.kind === 'fork' ? [[it.child, it.parent]] : [])));
    const line = [sent?.kind === 'signal' ? sent.sender : 0];
    while (makers.has(line.at(-1)!)) line.push(makers.get(line.at(-1)!)!);
    expect(line).toContain(killer.pid);
    expect(trace.read().some((event) => event.kind === 'signal' && event.target === victim.pid)).toBe(false);
  });
});
