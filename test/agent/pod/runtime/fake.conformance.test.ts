import { createFakeRuntime, type FakeLife } from '../../../../src/agent/pod/runtime/fake.ts';
import { createFakeClock } from '../../../../src/util/clock.ts';
import { type Behaviour, runtimeConformance } from '../../../conformance/runtime.ts';

/** The behaviour travels in the command. */
function lifeOf(behaviour: Behaviour, stopSignal?: string): FakeLife {
  if (behaviour.kind === 'exits') return { runsMs: 10, exitCode: behaviour.exitCode };
  if (behaviour.kind === 'prints') return { runsMs: 10, log: behaviour.lines };
  if (behaviour.kind === 'ends-when-asked') return { stopMs: 10, stopExitCode: 0, log: ['ready'] };
  if (behaviour.kind === 'knows-signals') {
    const codes: Readonly<Record<string, number>> = { SIGUSR1: 42, 'SIGRTMIN+3': 43 };
    return { stopMs: 10, stopExitCode: codes[stopSignal ?? 'SIGTERM'] ?? 0, log: ['ready'] };
  }
  if (behaviour.kind === 'ignores-sigterm') return { stopMs: Number.MAX_SAFE_INTEGER };
  if (behaviour.kind === 'cannot-start') {
    return {
      startError: { code: 'RunContainerError', message: 'exec: "none": executable file not found in $PATH' },
    };
  }
  return {};
}

runtimeConformance('the test double', async () => {
  const clock = createFakeClock();
  const runtime = createFakeRuntime({
    clock,
    life: ({ command, stopSignal }) => lifeOf(JSON.parse(command[0]!), stopSignal),
    pullError: (image) => (image === 'host' ? undefined : `image ${image} cannot be pulled`),
  });
  return {
    runtime,
    image: 'host',
    config: (behaviour) => ({ command: [JSON.stringify(behaviour)] }),
    async until(look) {
      for (let turn = 0; turn < 1000; turn += 1) {
        const found = await look();
        if (found !== undefined) return found;
        await clock.advance(10);
      }
      throw new Error('waited in vain');
    },
    async settle(promise) {
      await clock.advance(60_000);
      return promise;
    },
    kill(containerId) {
      runtime.killById(containerId);
    },
    async successor() {
      runtime.crash();
      return runtime;
    },
    dispose: async () => runtime.dispose(),
  };
});
