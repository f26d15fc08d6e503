import { type Clock, sleep } from '../util/clock.ts';
import type { PodFigures, UsageFigures } from './api/usage-routes.ts';
import type { FlightRecorder } from './events/flight-recorder.ts';
import type { PodView } from './pod/view.ts';
import type { NodeUsage } from './stats/usage.ts';

/** What each running container used in the last second that was recorded. */
export function podFigures(
  views: readonly PodView[],
  flightRecorder: Pick<FlightRecorder, 'read'>,
): readonly PodFigures[] {
  return views.flatMap(({ ref, object, containers }) => {
    let at = 0;
    const figures = containers.flatMap(({ name, running }) => {
      const frame = running && flightRecorder.read(running.id).vitals.at(-1);
      if (frame?.cpuCores === undefined || frame.memoryWorkingSetBytes === undefined) return [];
      at = Math.max(at, frame.at);
      return [{ name, cpuCores: frame.cpuCores, memoryBytes: frame.memoryWorkingSetBytes }];
    });
    if (figures.length === 0) return [];
    const { namespace, name } = ref;
    return [{ namespace, name, labels: object.metadata.labels ?? {}, at, containers: figures }];
  });
}

const NODE_WINDOW_MS = 500;
const IDLE = ['idle', 'iowait'];

/** What the whole machine uses, over half a second from now; undefined where it cannot be read. */
export async function nodeFigures(
  read: () => NodeUsage | undefined,
  clock: Clock,
): Promise<(UsageFigures & { readonly at: number }) | undefined> {
  const before = read();
  await sleep(clock, NODE_WINDOW_MS);
  const now = read();
  if (!before || !now || now.at <= before.at) return undefined;
  const busy = Object.entries(now.cpuSecondsByMode)
    .filter(([mode]) => !IDLE.includes(mode))
    .reduce((sum, [mode, seconds]) => sum + seconds - (before.cpuSecondsByMode[mode] ?? 0), 0);
  return {
    at: now.at,
    cpuCores: Math.max(0, busy / ((now.at - before.at) / 1000)),
    memoryBytes: now.memory.totalBytes - now.memory.availableBytes,
  };
}
