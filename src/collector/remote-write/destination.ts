import { type BackOffOptions, backOffDelay } from '../../util/back-off.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { messageOf } from '../../util/coded-error.ts';
import type { RemoteWriteClient, RemoteWriteOutcome } from '../../wire/prometheus/remote-write-client.ts';
import { encodeWriteRequest } from '../../wire/prometheus/remote-write-writer.ts';
import type { CommitLog } from '../storage/commit-log.ts';
import { cut, type Group, groupOf } from './group.ts';

export interface DestinationOptions {
  /** Names it in metrics, and its position over a restart. */
  readonly name: string;
  readonly client: RemoteWriteClient;
  readonly log: CommitLog;
  /** Where it begins: after this commit. */
  readonly position: number;
  readonly savePosition: (position: number) => Promise<void>;
  readonly clock: Clock;
  /** A number in [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** What may wait: commits beyond either are given up, oldest first. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** The position moved on, or `failing` changed. */
  readonly onProgress: () => void;
  readonly onDelivered: (group: Group) => void;
}

/** Samples since the start, and what waits now. */
export interface DestinationStats {
  readonly name: string;
  readonly sent: number;
  /** The receiver said that it will never take them. */
  readonly refused: number;
  /** Waited too long, or were too many. */
  readonly dropped: number;
  readonly retries: number;
  readonly waitingCommits: number;
  readonly waitingBytes: number;
  /** The receiver's last complaint; undefined once something went through without. */
  readonly lastError: string | undefined;
}

/**
 * Sends what is committed to one receiver of remote write, in order, at least once, across restarts: the commits wait
 * in the store's own log, and only the position in it is kept here.
 */
export interface Destination {
  readonly position: number;
  /** The last request did not get through. */
  readonly failing: boolean;
  stats(): DestinationStats;
  /** Gives up the request under way; it is sent again after the next start. */
  close(): Promise<void>;
}

// As Prometheus' max_samples_per_send.
const SAMPLES_PER_REQUEST = 2_000;
const BACK_OFF: BackOffOptions = { baseMs: 250, capMs: 30_000 };
/** How often a commit may be halved to get at the samples in it that a receiver does not take. */
const MOST_HALVINGS = 16;

/** What waits is beyond its bounds: all up to `position` is given up. */
interface GivenUp {
  readonly position: number;
}

export function createDestination(options: DestinationOptions): Destination {
  const { client, log, clock } = options;
  const counts = { sent: 0, refused: 0, dropped: 0, retries: 0 };
  const stopped = new AbortController();
  let { position } = options;
  let lastError: string | undefined;
  let failing = false;
  let wake = () => {};

  const setFailing = (now: boolean) => {
    if (failing === now) return;
    failing = now;
    options.onProgress();
  };

  const pause = (attempt: number, afterMs = 0) => {
    const delay = Math.max(afterMs, backOffDelay(BACK_OFF, attempt));
    // Jitter keeps many senders from coming back in one moment.
    return sleep(clock, delay * (0.8 + 0.4 * options.random()), stopped.signal);
  };

  const beyondBounds = () => log.newestBeyond(position, options.maxBytes, clock.now() - options.maxAgeMs);

  /** Sends until there is an answer that settles it. Rejects when closed. */
  const send = async (
    request: Uint8Array,
  ): Promise<Exclude<RemoteWriteOutcome, { kind: 'retry' }> | GivenUp> => {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await client.write(request, stopped.signal);
      stopped.signal.throwIfAborted();
      if (outcome.kind !== 'retry') {
        setFailing(false);
        return outcome;
      }
      lastError = outcome.message;
      counts.retries += 1;
      setFailing(true);
      const beyond = beyondBounds();
      if (beyond > position) return { position: beyond };
      await pause(attempt, outcome.afterMs);
    }
  };

  /** Sends samples `start` to `end`. What a receiver refuses is halved, so that one bad sample takes few along. */
  const deliver = async (
    group: Group,
    start: number,
    end: number,
    halvings: { left: number },
  ): Promise<GivenUp | undefined> => {
    const outcome = await send(encodeWriteRequest(group, start, end, log.labelBytes));
    if ('position' in outcome) return outcome;
    if (outcome.kind === 'accepted') {
      counts.sent += end - start;
      lastError = undefined;
      return undefined;
    }
    lastError = outcome.message;
    const middle = outcome.badSamples ? cut(group, start, end, halvings) : undefined;
    if (middle === undefined) {
      counts.refused += end - start;
      return undefined;
    }
    return (await deliver(group, start, middle, halvings)) ?? deliver(group, middle, end, halvings);
  };

  const deliverAll = async (group: Group): Promise<GivenUp | undefined> => {
    for (let start = 0; start < group.length; start += SAMPLES_PER_REQUEST) {
      const end = Math.min(start + SAMPLES_PER_REQUEST, group.length);
      const givenUp = await deliver(group, start, end, { left: MOST_HALVINGS });
      if (givenUp !== undefined) return givenUp;
    }
    options.onDelivered(group);
    return undefined;
  };

  const step = async (): Promise<void> => {
    const group = groupOf(log.after(position, SAMPLES_PER_REQUEST));
    if (group === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      return;
    }
    const givenUp = await deliverAll(group);
    // What of the group is within bounds is read again.
    const next = givenUp?.position ?? group.position;
    if (givenUp !== undefined) counts.dropped += samplesBetween(log, position, next);
    await options.savePosition(next);
    position = next;
    options.onProgress();
  };

  const run = async () => {
    for (let attempt = 0; !stopped.signal.aborted; ) {
      try {
        await step();
        attempt = 0;
      } catch (error) {
        if (stopped.signal.aborted) return;
        // The store's file is in trouble; it says so itself.
        lastError = messageOf(error);
        setFailing(true);
        await pause(attempt).catch(() => {});
        attempt += 1;
      }
    }
  };

  const unsubscribe = log.subscribe(() => wake());
  const running = run();

  return {
    get position() {
      return position;
    },
    get failing() {
      return failing;
    },
    stats() {
      const { commits, bytes } = log.sizeAfter(position);
      return { name: options.name, ...counts, waitingCommits: commits, waitingBytes: bytes, lastError };
    },
    async close() {
      unsubscribe();
      stopped.abort();
      wake();
      await running;
    },
  };
}

function samplesBetween(log: CommitLog, after: number, upTo: number): number {
  let samples = 0;
  for (let position = after; position < upTo; ) {
    const commits = log.after(position, SAMPLES_PER_REQUEST).filter((commit) => commit.position <= upTo);
    if (commits.length === 0) break;
    for (const commit of commits) samples += commit.samples.length;
    position = commits.at(-1)!.position;
  }
  return samples;
}
