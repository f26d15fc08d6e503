import { describe } from 'vitest';
import { createProcessRuntime } from '../../../../src/agent/pod/runtime/process/process-runtime.ts';
import type { RunningContainer } from '../../../../src/agent/pod/runtime/runtime.ts';
import { systemClock } from '../../../../src/util/clock.ts';
import { type Behaviour, type RuntimeSubject, runtimeConformance } from '../../../conformance/runtime.ts';
import { runtimeIsolation } from '../../../conformance/runtime-isolation.ts';
import { removeDebris } from '../../../support/debris.ts';
import { notRoot } from '../../../support/parts.ts';
import { newOwner, until } from '../../../support/process-pods.ts';

function commandOf(behaviour: Behaviour): readonly string[] {
  if (behaviour.kind === 'exits') return ['sh', '-c', `exit ${behaviour.exitCode}`];
  if (behaviour.kind === 'prints') return ['printf', '%s\\n', ...behaviour.lines];
  if (behaviour.kind === 'ends-when-asked')
    return ['sh', '-c', "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"];
  if (behaviour.kind === 'knows-signals')
    return ['sh', '-c', "trap 'exit 42' USR1; trap 'exit 43' 37; echo ready; while :; do sleep 0.05; done"];
  if (behaviour.kind === 'ignores-sigterm') return ['sh', '-c', "trap '' TERM; while :; do sleep 0.05; done"];
  if (behaviour.kind === 'cannot-start') return ['no-such-command'];
  return ['sleep', '1000'];
}

describe.skipIf(notRoot())('on real processes', () => {
  const create = async (): Promise<RuntimeSubject> => {
    const owner = newOwner();
    const runtime = await createProcessRuntime({ ...owner, clock: systemClock });
    const started = new Map<string, RunningContainer>();
    return {
      runtime: {
        ...runtime,
        async startContainer(config) {
          const container = await runtime.startContainer(config);
          started.set(container.id, container);
          return container;
        },
      },
      image: 'host',
      config: (behaviour) => ({ command: commandOf(behaviour) }),
      until: (look) => until('what the suite waits for', look),
      settle: (promise) => promise,
      kill: (containerId) => void process.kill(started.get(containerId)!.pid, 'SIGKILL'),
      async successor() {
        await runtime.close();
        return createProcessRuntime({ ...owner, clock: systemClock });
      },
      dispose: () => removeDebris(owner),
    };
  };
  runtimeConformance('the process runtime', create);
  runtimeIsolation('the process runtime', create);
});
