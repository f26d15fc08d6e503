import type { Taint } from '../../../model/kubernetes.ts';
import type { CancelTimer, Clock } from '../../../util/clock.ts';
import type { NodeFacts } from '../spec/field-ref.ts';
import type { WriteBehind } from '../write-behind.ts';
import { type EvictionCandidate, evictionMessage, evictionOrder } from './eviction-order.ts';
import type { SchedulableNode } from './placement.ts';
import {
  type CrossedSince,
  type EvictionThresholds,
  type NodePressures,
  type NodeSignals,
  nextPressures,
  noPressure,
  type PressureType,
  type Shortage,
  type SoftThresholds,
  shortagesOf,
  softShortages,
} from './pressure.ts';

/** What the operator says of the node. */
export interface NodeSettings {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Kept from pods for the system, in cores and bytes. */
  readonly reserved: { readonly cpu: number; readonly memory: number };
  readonly maxPods: number;
  readonly thresholds: EvictionThresholds;
  /** Left out: none. */
  readonly softThresholds?: SoftThresholds;
  /** Kernel parameters that pods may set beside the safe ones; `*` at the end stands for all that begin so. */
  readonly allowedSysctls?: readonly string[];
  /** What a pod that goes for a soft threshold may have of its grace at most; 0 when left out. */
  readonly maxPodGraceMs?: number;
}

/** What is kept of the node between two agents. */
export interface NodeRecord {
  readonly unschedulable: boolean;
  readonly pressures: NodePressures;
  /** Evictions since the first agent, by the signal that was short. */
  readonly evictions: Readonly<Record<string, number>>;
  /** When each NoExecute taint was first seen, by its text: how long a pod may bear it counts from then. */
  readonly taintedSince?: Readonly<Record<string, number>>;
}

export interface NodeKeeperOptions {
  readonly facts: NodeFacts;
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly kept: unknown;
  readonly writer: Pick<WriteBehind, 'write'>;
  /** What there is left of everything, now; called every ten seconds. */
  readonly readSignals: () => NodeSignals;
  /** The pods that could be evicted, with their usage, now; asked for only under pressure. */
  readonly candidates: () => readonly EvictionCandidate[];
  /** Whether a pod that was told to go is still there. */
  readonly leaving: (uid: string) => boolean;
  readonly evict: (uid: string, message: string, signal: string, mostGraceMs: number) => void;
  /** The node takes other pods than before. */
  readonly onChange: () => void;
  readonly onError: (error: unknown) => void;
}

/** Watches over the node itself: its pressures, whom they cost their place, and whether it takes new pods. */
export interface NodeKeeper {
  start(): void;
  /** The node as a place for pods. */
  schedulable(): SchedulableNode;
  record(): NodeRecord;
  /** When a NoExecute taint of the node was first seen, by this agent or one before it. */
  taintedSince(taint: Taint): number;
  /** Cordons the node, or takes that back; false when it was so already. */
  setUnschedulable(unschedulable: boolean): boolean;
  /** A pod was evicted for another reason than the node's shortage: its own limit. */
  countEviction(signal: string): void;
  close(): void;
}

export const NODE_KEY = 'pod/node';

// Source: kubernetes/pkg/kubelet/kubelet.go, evictionMonitoringPeriod
const LOOK_MS = 10_000;

const TAINTS: Readonly<Record<PressureType, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
};

export function createNodeKeeper(options: NodeKeeperOptions): NodeKeeper {
  const { clock, facts, settings } = options;
  let record: NodeRecord = isRecord(options.kept)
    ? options.kept
    : { unschedulable: false, pressures: noPressure(clock.now()), evictions: {} };
  const since = Object.fromEntries(
    settings.taints
      .filter(({ effect }) => effect === 'NoExecute')
      .map(textOf)
      .map((text) => [text, record.taintedSince?.[text] ?? clock.now()]),
  );
  let cancel: CancelTimer = () => {};
  // The pod told to go last: one at a time, or a spike would empty the node.
  let leaving: string | undefined;
  let crossedSince: CrossedSince = {};

  function keep(next: NodeRecord): void {
    const before = record;
    record = next;
    void options.writer.write(NODE_KEY, () => record);
    const places = (it: NodeRecord) =>
      JSON.stringify([it.unschedulable, Object.values(it.pressures).map(({ status }) => status)]);
    if (places(before) !== places(next)) options.onChange();
  }

  function look(): void {
    cancel = clock.setTimer(LOOK_MS, look, { unref: true });
    try {
      const signals = options.readSignals();
      const hard = shortagesOf(signals, settings.thresholds);
      const soft = softShortages(signals, settings.softThresholds ?? {}, crossedSince, clock.now());
      crossedSince = soft.since;
      const pressures = nextPressures(record.pressures, [...hard, ...soft.shortages], clock.now());
      if (JSON.stringify(pressures) !== JSON.stringify(record.pressures)) keep({ ...record, pressures });
      const [worst] = hard;
      const [bad] = soft.shortages;
      if (worst) evictOne(worst, 0);
      else if (bad) evictOne(bad, settings.maxPodGraceMs ?? 0);
      else leaving = undefined;
    } catch (error) {
      options.onError(error);
    }
  }

  function evictOne(shortage: Shortage, mostGraceMs: number): void {
    if (leaving !== undefined && options.leaving(leaving)) return;
    const [first] = evictionOrder(shortage.pressure, options.candidates());
    leaving = first?.uid;
    if (!first) return;
    countEviction(shortage.signal);
    options.evict(first.uid, evictionMessage(shortage, first), shortage.signal, mostGraceMs);
  }

  function countEviction(signal: string): void {
    keep({ ...record, evictions: { ...record.evictions, [signal]: (record.evictions[signal] ?? 0) + 1 } });
  }

  return {
    start() {
      if (JSON.stringify(since) !== JSON.stringify(record.taintedSince ?? {}))
        keep({ ...record, taintedSince: since });
      look();
    },
    taintedSince: (taint) => since[textOf(taint)] ?? clock.now(),
    schedulable() {
      const { 'memory.available': memory } = settings.thresholds;
      const aside = memory && 'amount' in memory ? memory.amount : 0;
      const pressures = Object.entries(record.pressures) as [PressureType, { readonly status: boolean }][];
      return {
        name: facts.name,
        labels: settings.labels,
        allocatable: {
          cpu: Math.max(0, facts.cpuCores - settings.reserved.cpu),
          memory: Math.max(0, facts.memoryBytes - settings.reserved.memory - aside),
          'ephemeral-storage': facts.diskBytes,
          pods: settings.maxPods,
        },
        unschedulable: record.unschedulable,
        taints: [
          ...settings.taints,
          ...pressures
            .filter(([, { status }]) => status)
            .map(([type]) => ({ key: TAINTS[type], effect: 'NoSchedule' as const })),
        ],
      };
    },
    record: () => record,
    setUnschedulable(unschedulable) {
      if (record.unschedulable === unschedulable) return false;
      keep({ ...record, unschedulable });
      return true;
    },
    countEviction,
    close: () => cancel(),
  };
}

const textOf = ({ key, value = '', effect }: Taint) => `${key}=${value}:${effect}`;

const isRecord = (kept: unknown): kept is NodeRecord =>
  typeof kept === 'object' && kept !== null && 'pressures' in kept;
