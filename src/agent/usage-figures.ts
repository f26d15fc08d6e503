import { type Clock, sleep } from '../util/clock.ts';
import type { PodFigures, PodStats, UsageFigures } from './api/usage-routes.ts';
import type { FlightRecorder } from './events/flight-recorder.ts';
import { parseBytes } from './pod/spec/quantity.ts';
import type { PodView } from './pod/view.ts';
import type { Usages } from './stats/stats-reader.ts';
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

/** All that is known of what running pods use now. */
export function podStats(
  views: readonly PodView[],
  flightRecorder: Pick<FlightRecorder, 'read'>,
  usages: Usages,
): readonly PodStats[] {
  return views.flatMap(({ ref, object, containers }) => {
    const interfaces = usages.pods.get(ref.uid)?.interfaces;
    const figures = containers.flatMap(({ name, running }) => {
      if (!running) return [];
      const usage = usages.containers.get(running.id);
      const specified = [...(object.spec.initContainers ?? []), ...object.spec.containers];
      const limit = specified.find((one) => one.name === name)?.resources?.limits?.memory;
      return [
        {
          name,
          ...defined({
            cpuCores: flightRecorder.read(running.id).vitals.at(-1)?.cpuCores,
            memoryBytes: usage?.memory?.usageBytes,
            memoryLimitBytes: limit === undefined ? undefined : parseBytes(limit),
            readBytes: total(usage?.devices?.map(({ readBytes }) => readBytes)),
            writtenBytes: total(usage?.devices?.map(({ writeBytes }) => writeBytes)),
            processes: usage?.processes,
          }),
        },
      ];
    });
    if (figures.length === 0) return [];
    const network = defined({
      receivedBytes: total(interfaces?.map(({ receiveBytes }) => receiveBytes)),
      sentBytes: total(interfaces?.map(({ transmitBytes }) => transmitBytes)),
    });
    return [{ namespace: ref.namespace, name: ref.name, ...network, containers: figures }];
  });
}

const total = (values: readonly number[] | undefined) => values?.reduce((sum, value) => sum + value, 0);

const defined = <T extends object>(values: T) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

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
