/** What a node can run short of, by the kubelet's name of the signal. */
export type EvictionSignal = 'memory.available' | 'nodefs.available' | 'nodefs.inodesFree' | 'pid.available';

/** All that a pod may be evicted for, its own limits included; counters of them begin at 0. */
export const EVICTION_SIGNALS = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'pid.available',
  'emptydirfs.limit',
  'ephemeralpodfs.limit',
] as const;

/** What there is now and in all; a signal that cannot be read is absent. Bytes, inodes, process ids. */
export type NodeSignals = Readonly<
  Partial<Record<EvictionSignal, { readonly available: number; readonly capacity: number }>>
>;

export type EvictionThresholds = Readonly<Partial<Record<EvictionSignal, Threshold>>>;

/** Below it the node is under pressure: an amount, or a share of the capacity (0..1). */
export type Threshold = { readonly amount: number } | { readonly ratio: number; readonly atMost?: number };

/** Acted upon when it was crossed for so long without a break. */
export type SoftThresholds = Readonly<
  Partial<Record<EvictionSignal, { readonly threshold: Threshold; readonly graceMs: number }>>
>;

/** Since when soft thresholds are crossed. */
export type CrossedSince = Readonly<Partial<Record<EvictionSignal, number>>>;

export type PressureType = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

export interface NodePressure {
  readonly status: boolean;
  /** Integer milliseconds of the last change of `status`. */
  readonly since: number;
  /** When a threshold was last seen crossed. */
  readonly observedAt?: number;
}

export type NodePressures = Readonly<Record<PressureType, NodePressure>>;

export interface Shortage {
  readonly signal: EvictionSignal;
  readonly pressure: PressureType;
  readonly available: number;
  readonly threshold: number;
}

/**
 * The kubelet's hard thresholds, but for the disk: ten percent of a dedicated node's disk is a good reserve, on a
 * laptop's it is a fortune; so it is ten percent and at most 1 GiB. `pid.available` has no default in the kubelet.
 * Source: kubernetes/pkg/kubelet/apis/config/v1beta1/defaults_linux.go, DefaultEvictionHard
 */
export const DEFAULT_THRESHOLDS: EvictionThresholds = {
  'memory.available': { amount: 100 * 2 ** 20 },
  'nodefs.available': { ratio: 0.1, atMost: 2 ** 30 },
  'nodefs.inodesFree': { ratio: 0.05 },
  'pid.available': { ratio: 0.02 },
};

/** How long a pressure is shown after its last sight: --eviction-pressure-transition-period. */
export const PRESSURE_TRANSITION_MS = 300_000;

const PRESSURE_OF: Readonly<Record<EvictionSignal, PressureType>> = {
  'memory.available': 'MemoryPressure',
  'nodefs.available': 'DiskPressure',
  'nodefs.inodesFree': 'DiskPressure',
  'pid.available': 'PIDPressure',
};

export const noPressure = (now: number): NodePressures => ({
  MemoryPressure: { status: false, since: now },
  DiskPressure: { status: false, since: now },
  PIDPressure: { status: false, since: now },
});

const thresholdOf = (threshold: Threshold, capacity: number): number =>
  'amount' in threshold
    ? threshold.amount
    : Math.min(capacity * threshold.ratio, threshold.atMost ?? Infinity);

/** The thresholds that are crossed, memory first: that is the order in which the kubelet mends them. */
export function shortagesOf(signals: NodeSignals, thresholds: EvictionThresholds): readonly Shortage[] {
  const order = Object.keys(PRESSURE_OF) as EvictionSignal[];
  return order.flatMap((signal) => {
    const [seen, threshold] = [signals[signal], thresholds[signal]];
    if (seen === undefined || threshold === undefined) return [];
    const least = thresholdOf(threshold, seen.capacity);
    if (seen.available >= least) return [];
    return [{ signal, pressure: PRESSURE_OF[signal], available: seen.available, threshold: least }];
  });
}

/**
 * The soft thresholds that were crossed for their grace period, and what to remember until the next look.
 * Source: kubernetes/pkg/kubelet/eviction/helpers.go, thresholdsFirstObservedAt, thresholdsMetGracePeriod
 */
export function softShortages(
  signals: NodeSignals,
  soft: SoftThresholds,
  before: CrossedSince,
  now: number,
): { readonly shortages: readonly Shortage[]; readonly since: CrossedSince } {
  const entries = Object.entries(soft) as [EvictionSignal, NonNullable<SoftThresholds[EvictionSignal]>][];
  const thresholds = Object.fromEntries(entries.map(([signal, { threshold }]) => [signal, threshold]));
  const crossed = shortagesOf(signals, thresholds);
  const since = Object.fromEntries(crossed.map(({ signal }) => [signal, before[signal] ?? now]));
  return {
    since,
    shortages: crossed.filter(({ signal }) => now - since[signal]! >= soft[signal]!.graceMs),
  };
}

/**
 * The node's pressures after another look. One begins when a threshold is crossed and ends when none of its was
 * crossed for `transitionMs`, so that a node that wavers does not flap.
 * Source: kubernetes/pkg/kubelet/eviction/helpers.go, nodeConditionsObservedSince
 */
export function nextPressures(
  before: NodePressures,
  shortages: readonly Shortage[],
  now: number,
  transitionMs = PRESSURE_TRANSITION_MS,
): NodePressures {
  const next = (type: PressureType): NodePressure => {
    const was = before[type];
    const crossed = shortages.some(({ pressure }) => pressure === type);
    const observedAt = crossed ? now : was.observedAt;
    const status = observedAt !== undefined && now - observedAt < transitionMs;
    return {
      status,
      since: status === was.status ? was.since : now,
      ...(observedAt === undefined ? {} : { observedAt }),
    };
  };
  return {
    MemoryPressure: next('MemoryPressure'),
    DiskPressure: next('DiskPressure'),
    PIDPressure: next('PIDPressure'),
  };
}
