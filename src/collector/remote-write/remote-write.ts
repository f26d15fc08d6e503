import { decodeLabels, labelValue, METRIC_NAME } from '../../model/labels.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { RemoteWriteClient } from '../../wire/prometheus/remote-write-client.ts';
import type { CommitLog } from '../storage/commit-log.ts';
import type { KeyValue } from '../storage/storage.ts';
import { createDestination, type Destination, type DestinationStats } from './destination.ts';
import type { Group } from './group.ts';

export interface RemoteWriteTarget {
  /** Unique among them. */
  readonly name: string;
  readonly client: RemoteWriteClient;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

export interface RemoteWriteOptions {
  readonly targets: readonly RemoteWriteTarget[];
  readonly log: CommitLog;
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  readonly random: () => number;
  /** Names of series that a receiver has new samples of. */
  readonly onDelivered?: (metricNames: ReadonlySet<string>) => void;
}

/** Sends every commit of the store on to each target. */
export interface RemoteWrite {
  stats(): readonly DestinationStats[];
  /**
   * Resolves once all targets have what is committed now; at once when one does not answer, and after two seconds
   * in any case: it is for those who would like to read what they wrote.
   */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const PREFIX = 'remote-write/';
const LONGEST_WAIT_MS = 2_000;

/** A target that is new gets what is committed from now on; one that was known goes on where it was. */
export async function startRemoteWrite(options: RemoteWriteOptions): Promise<RemoteWrite> {
  const { log, keyValue, clock, targets } = options;
  const destinations: Destination[] = [];
  let waiting: (() => void)[] = [];

  const onProgress = () => {
    log.hold(destinations.length === 0 ? undefined : Math.min(...destinations.map((one) => one.position)));
    for (const look of waiting) look();
  };
  const onDelivered = (group: Group) => options.onDelivered?.(namesIn(group, log));

  const known = new Map(keyValue.entries(PREFIX));
  const positions = targets.map(({ name }) => positionOf(known.get(PREFIX + name), log.newest));
  // Before anything else is waited for: maintenance must not take what a target has not had.
  if (targets.length > 0) log.hold(Math.min(...positions));
  const names = new Set(targets.map(({ name }) => PREFIX + name));
  for (const key of known.keys()) if (!names.has(key)) await keyValue.delete(key);
  for (const [index, target] of targets.entries()) {
    const savePosition = (position: number) => keyValue.set(PREFIX + target.name, position);
    const position = positions[index]!;
    await savePosition(position);
    destinations.push(
      createDestination({ ...options, ...target, position, savePosition, onProgress, onDelivered }),
    );
  }

  return {
    stats: () => destinations.map((destination) => destination.stats()),
    async settled() {
      const { newest } = log;
      const isSettled = () => destinations.every((one) => one.failing || one.position >= newest);
      if (isSettled()) return;
      const late = new AbortController();
      await new Promise<void>((resolve) => {
        const look = () => {
          if (isSettled()) resolve();
        };
        waiting.push(look);
        sleep(clock, LONGEST_WAIT_MS, late.signal)
          .then(resolve, () => {})
          .finally(() => {
            waiting = waiting.filter((one) => one !== look);
          });
      });
      late.abort();
    },
    async close() {
      await Promise.all(destinations.map((destination) => destination.close()));
    },
  };
}

function positionOf(saved: unknown, newest: number): number {
  return typeof saved === 'number' && saved >= 0 && saved <= newest ? saved : newest;
}

function namesIn(group: Group, log: CommitLog): ReadonlySet<string> {
  const names = new Set<string>();
  const refs = new Set(group.refs);
  for (const ref of refs) {
    const bytes = log.labelBytes(ref);
    if (bytes !== undefined) names.add(labelValue(decodeLabels(bytes), METRIC_NAME));
  }
  return names;
}
