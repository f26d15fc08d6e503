import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { createPodmanRuntime } from '../../../../src/agent/pod/runtime/podman/podman-runtime.ts';
import type { RunningContainer } from '../../../../src/agent/pod/runtime/runtime.ts';
import { systemClock } from '../../../../src/util/clock.ts';
import { type Behaviour, type RuntimeSubject, runtimeConformance } from '../../../conformance/runtime.ts';
import { runtimeIsolation } from '../../../conformance/runtime-isolation.ts';
import { BUSYBOX_IMAGE, noPodman, startPodman } from '../../../support/podman.ts';
import { until } from '../../../support/process-pods.ts';

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

describe.skipIf(noPodman())('on real Podman', () => {
  const create = async (): Promise<RuntimeSubject> => {
    const podman = await startPodman();
    const dataDir = join(podman.folder, 'data');
    mkdirSync(dataDir);
    const owner = { dataDir, socket: podman.socket, clock: systemClock };
    const runtime = await createPodmanRuntime(owner);
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
      image: BUSYBOX_IMAGE,
      config: (behaviour) => ({ command: commandOf(behaviour) }),
      until: (look) => until('what the suite waits for', look),
      settle: (promise) => promise,
      kill: (containerId) => void process.kill(started.get(containerId)!.pid, 'SIGKILL'),
      async successor() {
        await runtime.close();
        return createPodmanRuntime(owner);
      },
      dispose: () => podman.remove(),
    };
  };
  runtimeConformance('the Podman runtime', create);
  runtimeIsolation('the Podman runtime', create);
});
