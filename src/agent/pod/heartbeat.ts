import type { CancelTimer, Clock } from '../../util/clock.ts';
import type { KeyValue } from './key-value.ts';
import type { PodRecord } from './pod-record.ts';
import type { PodSet } from './pod-set.ts';
import { podKey } from './worker/worker-context.ts';
import type { WriteBehind } from './write-behind.ts';

/** Until when an agent was there: the next one knows since when nobody looked. */
export interface Heartbeat {
  /** The last of the agent before, integer milliseconds; now when there was none. */
  readonly before: number;
  start(): void;
  /** The last of this agent. */
  stop(): void;
}

const ALIVE_KEY = 'pod/alive';
const ALIVE_EVERY_MS = 10_000;

export function createHeartbeat({
  clock,
  keyValue,
  writer,
  pods,
}: {
  readonly clock: Clock;
  readonly keyValue: KeyValue;
  readonly writer: WriteBehind;
  readonly pods: PodSet;
}): Heartbeat {
  let cancel: CancelTimer = () => {};
  const mark = () => writer.mark(ALIVE_KEY, () => clock.now());
  const beat = () => {
    mark();
    // Probe results alone make nothing durable; what they count follows here.
    for (const pod of pods.all()) if (isProbed(pod)) writer.mark(podKey(pod.ref.uid), () => pod);
    cancel = clock.setTimer(ALIVE_EVERY_MS, beat, { unref: true });
  };
  return {
    get before() {
      const kept = keyValue.get(ALIVE_KEY);
      return typeof kept === 'number' ? kept : clock.now();
    },
    start: beat,
    stop() {
      cancel();
      mark();
    },
  };
}

const isProbed = ({ containers }: PodRecord) =>
  containers.some(({ probes }) => Object.keys(probes).length > 0);
