import { createProcessRuntime } from '../../src/agent/pod/runtime/process/process-runtime.ts';
import type { Runtime } from '../../src/agent/pod/runtime/runtime.ts';
import { systemClock } from '../../src/util/clock.ts';

/**
 * An agent to be killed: a process that holds a process runtime and does what its parent asks over IPC.
 * `{ id, verb, args }` is answered by `{ id, result }` or `{ id, error: { code, message } }`; exits come as `{ exit }`.
 */
const [dataDir, cgroupParent] = process.argv.slice(2);
const runtime = await createProcessRuntime({
  dataDir: dataDir!,
  cgroupParent: cgroupParent!,
  clock: systemClock,
});
runtime.onExit((exit) => process.send?.({ exit }));

interface Question {
  readonly id: number;
  readonly verb: keyof Runtime;
  readonly args: readonly unknown[];
}

process.on('message', async ({ id, verb, args }: Question) => {
  try {
    const call = runtime[verb] as (...args: readonly unknown[]) => unknown;
    process.send?.({ id, result: (await call(...args)) ?? null });
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    process.send?.({ id, error: { code, message } });
  }
});
process.send?.({ ready: true });
