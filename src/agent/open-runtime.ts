import type { Logger } from 'pino';
import type { Clock } from '../util/clock.ts';
import { CodedError } from '../util/coded-error.ts';
import type { KeyValue } from './pod/key-value.ts';
import { createPodmanRuntime } from './pod/runtime/podman/podman-runtime.ts';
import { createProcessRuntime } from './pod/runtime/process/process-runtime.ts';
import type { RunningContainer, Runtime } from './pod/runtime/runtime.ts';
import type { RuntimeName } from './pod/runtime/runtime-name.ts';

const RUNTIME_KEY = 'pod/runtime';

/**
 * The runtime of that name. Pods that another one left in the same data folder would be started a second time: as long
 * as there are some, the agent stays with theirs.
 *
 * @throws CodedError `RUNTIME_CHANGED`; what the runtime itself misses.
 */
export async function openRuntime(options: {
  readonly name: RuntimeName;
  readonly dataDir: string;
  readonly podmanSocket: string;
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  /** For a runtime whose cgroups are gone with the container. */
  readonly oomKills: (life: RunningContainer) => number | undefined;
}): Promise<Runtime> {
  const { name, dataDir, podmanSocket, keyValue, clock, logger, oomKills } = options;
  const before = keyValue.get(RUNTIME_KEY) ?? 'process';
  const pods = [...keyValue.entries('pod/pods/')].length;
  if (before !== name && pods > 0) {
    throw new CodedError(
      'RUNTIME_CHANGED',
      `${dataDir} has ${pods} pod${pods === 1 ? '' : 's'} of the ${String(before)} runtime: start with --runtime ${String(before)} and delete them first, or name another folder with --data-dir`,
    );
  }
  const runtime =
    name === 'podman'
      ? await createPodmanRuntime({ dataDir, socket: podmanSocket, clock, logger, oomKills })
      : await createProcessRuntime({ dataDir, clock, logger });
  await keyValue.set(RUNTIME_KEY, name);
  return runtime;
}
