import { randomInt } from 'node:crypto';
import { encodeLabels, METRIC_NAME, toLabels } from '../../model/labels.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { isCodedError, messageOf } from '../../util/coded-error.ts';
import { createTurns } from '../../util/turns.ts';
import type { TextFormat } from '../../wire/prometheus/content-type.ts';
import { readExposition } from '../../wire/prometheus/exposition-reader.ts';
import { parseSeries } from '../../wire/prometheus/exposition-series.ts';
import type { Appender, Committed } from '../storage/storage.ts';
import { createCommentCache } from './comment-cache.ts';
import { type CreatedTimes, readCreatedTimes } from './created-times.ts';
import { beyondLimit, type Exposition, fetchExposition, type ScrapeConnections } from './fetch-exposition.ts';
import { createMetadataCache, type MetadataCache } from './metric-metadata.ts';
import type { MutableLabels, Relabel } from './relabel.ts';
import { setOver, toSampleLabels } from './sample-labels.ts';
import type { ScrapeConfig } from './scrape-config.ts';
import { createSeriesCache, type KnownSeries } from './series-cache.ts';
import type { Target } from './target.ts';

/** What a loop needs of the world. */
export interface ScrapeLoopOptions {
  readonly config: ScrapeConfig;
  readonly metricRelabel: Relabel;
  readonly appender: () => Appender;
  readonly onCommitted: (committed: Committed) => void;
  readonly connections: ScrapeConnections;
  /** Room in memory for bodies, shared by all loops. */
  readonly room: Room;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
  /** A scrape was given up because there was too much. */
  readonly onBeyondLimit: () => void;
}

export interface Room {
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export interface ScrapeState {
  readonly health: 'unknown' | 'up' | 'down';
  readonly lastError: string;
  /** Integer milliseconds; undefined before the first. */
  readonly lastScrapeMs?: number;
  readonly lastDurationMs: number;
}

/** Scrapes one target again and again until it is ended. */
export interface ScrapeLoop {
  target: Target;
  readonly metadata: Pick<MetadataCache, 'all' | 'get'>;
  state(): ScrapeState;
  /** Ends it; resolves once its series are marked stale where the next scrape would have been, or `abort` came first. */
  remove(): Promise<void>;
  /** Ends it at once, without marks; resolves when nothing is under way. */
  abort(): Promise<void>;
}

/** How much one scrape brought. */
interface Counts {
  /** In the body. */
  scraped: number;
  /** Left after relabelling. */
  kept: number;
  /** Of series that were not known before. */
  added: number;
}

// A scrape this little late is taken to be on time: equal distances pack better. Source: prometheus ScrapeTimestampTolerance
const TOLERANCE_MS = 2;
const AHEAD_MS = 10 * 60_000;
// What began longer ago is nothing new. Source: prometheus/tsdb/head.go, half of the chunk range
const LONGEST_SINCE_CREATION_MS = 3_600_000;
const REPORTS = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
] as const;

export function startScrapeLoop(target: Target, options: ScrapeLoopOptions): ScrapeLoop {
  const { config, clock, room } = options;
  const inTurns = createTurns(clock);
  const cache = createSeriesCache(randomInt(2 ** 31));
  const comments = createCommentCache(randomInt(2 ** 31));
  const metadata = createMetadataCache();
  const removal = new AbortController();
  const end = new AbortController();
  const reports = REPORTS.map((name) => reportBytes(name, target));
  let lastFormat: TextFormat | undefined;
  let lastBytes = 0;
  let state: ScrapeState = { health: 'unknown', lastError: '', lastDurationMs: 0 };

  const fetchOnce = async (): Promise<Exposition & { readonly bytes: number }> => {
    let bytes = 0;
    const deadline = new AbortController();
    const cancel = clock.setTimer(target.timeoutMs, () => deadline.abort(), { unref: true });
    const signal = AbortSignal.any([deadline.signal, removal.signal, end.signal]);
    const hold = (more: number) => {
      if (!room.take(more)) return false;
      bytes += more;
      return true;
    };
    try {
      const { url, timeoutMs } = target;
      return {
        ...(await fetchExposition(
          { ...config, url, timeoutMs, expectedBytes: lastBytes, hold },
          options.connections,
          signal,
        )),
        bytes,
      };
    } catch (error) {
      room.give(bytes);
      throw error;
    } finally {
      cancel();
    }
  };

  /** Reads a body into `appender`; counts go on though it turns out to be of no use. */
  const append = async (appender: Appender, { body, format }: Exposition, t: number, counts: Counts) => {
    let limited = 0;
    const created = config.zeroAtCreation ? await inTurns(readCreatedTimes(body, format)) : undefined;
    const latestT = clock.now() + AHEAD_MS;
    cache.begin(body, format !== lastFormat);
    lastFormat = format;
    const sample = (from: number, to: number, value: number, exposedT: number | undefined) => {
      if (created?.isTime(from, to)) return;
      counts.scraped += 1;
      const ownT = config.honorTimestamps ? exposedT : undefined;
      let known = cache.get(from, to);
      const isNew = known === undefined;
      if (known === undefined) {
        const labels = toSampleLabels(parseSeries(body.subarray(from, to), format), target.labels, {
          ...config,
          relabel: options.metricRelabel,
        });
        known = cache.add(from, to, labels === undefined ? null : encodeLabels(labels)) ?? null;
      }
      if (known === null) return;
      counts.kept += 1;
      const repeated = known.seenIn === cache.scrape && ownT === undefined;
      known.seenIn = cache.scrape;
      if (repeated) return;
      limited += 1;
      if (config.limits.samples > 0 && limited > config.limits.samples) return;
      if ((ownT ?? t) > latestT) return;
      if (created !== undefined) appendZero(appender, known, from, to, ownT ?? t, created);
      if (!appendOne(appender, known, ownT ?? t, value)) return;
      if (ownT === undefined || config.trackTimestampsStaleness) cache.track(known);
      if (isNew) counts.added += 1;
    };
    const said = comments.begin(body, format, {
      type(metric, type) {
        metadata.set(metric, { type });
        created?.type(metric, type);
      },
      help: (metric, help) => metadata.set(metric, { help }),
      unit: (metric, unit) => metadata.set(metric, { unit }),
    });
    const sink = { ...said, sample, knownSeries: cache.expectedEnd };
    await inTurns(readExposition(body, format, sink));
    comments.done();
    if (config.limits.samples > 0 && limited > config.limits.samples)
      throw beyondLimit('sample limit exceeded');
  };

  /** Where a counter began after its last sample, and before this one, it was 0. */
  const appendZero = (
    appender: Appender,
    known: KnownSeries,
    from: number,
    to: number,
    t: number,
    created: CreatedTimes,
  ) => {
    known.createdKey ??= created.keyOf(from, to) ?? null;
    const createdT = known.createdKey === null ? undefined : created.of(known.createdKey);
    const isNews = createdT !== undefined && createdT !== known.createdT && createdT < t;
    if (isNews && createdT > (known.lastT ?? t - LONGEST_SINCE_CREATION_MS))
      appendOne(appender, known, createdT, 0);
    // One that is later than the sample was exposed while it was scraped: the next sample tells.
    if (createdT !== undefined && createdT < t) known.createdT = createdT;
    known.lastT = t;
  };

  const appendOne = (
    appender: Appender,
    known: Pick<KnownSeries, 'labelBytes' | 'ref'>,
    t: number,
    value: number,
  ) => {
    try {
      // The store lets go of a series that was silent for long, and then has another number for it.
      if (known.ref < 0 || !appender.isReferenced?.(known.ref))
        known.ref = appender.reference(known.labelBytes);
      appender.append(known.ref, t, value);
      return true;
    } catch (error) {
      // The store has no room for this series: the others are still wanted.
      if (!isCodedError(error)) throw error;
      options.onTrouble(error);
      return false;
    }
  };

  const scrape = async (t: number) => {
    const began = clock.monotonic();
    const counts: Counts = { scraped: 0, kept: 0, added: 0 };
    let appender = options.appender();
    let error: unknown;
    let bytes = 0;
    try {
      const exposition = await fetchOnce();
      bytes = exposition.bytes;
      lastBytes = exposition.body.length;
      await append(appender, exposition, t, counts).finally(() =>
        options.connections.bodies.give(exposition.body),
      );
      metadata.done();
    } catch (thrown) {
      error = thrown;
      if (!isCodedError(error)) options.onTrouble(error);
      else if (error.code === 'SCRAPE_LIMIT') options.onBeyondLimit();
      appender.rollback();
      cache.untrack();
      appender = options.appender();
    } finally {
      room.give(bytes);
    }
    if (end.signal.aborted || removal.signal.aborted) return appender.rollback();
    await inTurns(markVanished(appender, t));
    const lastDurationMs = clock.monotonic() - began;
    const values = [
      error === undefined ? 1 : 0,
      lastDurationMs / 1000,
      counts.scraped,
      counts.kept,
      counts.added,
    ];
    reports.forEach((labelBytes, i) => {
      appendOne(appender, { labelBytes, ref: -1 }, t, values[i]!);
    });
    await inTurns(cache.done(error !== undefined));
    state = {
      health: error === undefined ? 'up' : 'down',
      lastError: error === undefined ? '' : messageOf(error),
      lastScrapeMs: t,
      lastDurationMs,
    };
    await commit(appender);
  };

  const commit = async (appender: Appender) => {
    try {
      options.onCommitted(await appender.commit());
    } catch (error) {
      // The disk is full, or the like: the next scrape tries again.
      options.onTrouble(error);
    }
  };

  const markStale = (appender: Appender, labelBytes: Uint8Array, t: number) => {
    try {
      appender.appendStale(appender.reference(labelBytes), t);
    } catch (error) {
      options.onTrouble(error);
    }
  };

  function* markVanished(appender: Appender, t: number) {
    for (const labelBytes of cache.vanished())
      if (labelBytes === undefined) yield;
      else markStale(appender, labelBytes, t);
  }

  /** Late enough for a target that took over the series to have written first. */
  const markEnd = async (nextMs: number) => {
    if (state.lastScrapeMs === undefined) return;
    await sleep(clock, nextMs, end.signal);
    const t = clock.now();
    await sleep(clock, target.intervalMs * 1.1, end.signal);
    const appender = options.appender();
    for (const labelBytes of cache.tracked()) markStale(appender, labelBytes, t);
    for (const labelBytes of reports) markStale(appender, labelBytes, t);
    await commit(appender);
  };

  const run = async () => {
    const { intervalMs } = target;
    const tolerance = Math.min(TOLERANCE_MS, intervalMs / 100);
    const startMs = clock.now();
    const start = clock.monotonic();
    const offset = offsetOf(target.key, intervalMs, startMs);
    const nextAfter = (elapsed: number) =>
      offset + Math.max(0, Math.floor((elapsed - offset) / intervalMs) + 1) * intervalMs;
    const either = AbortSignal.any([removal.signal, end.signal]);
    let due = offset;
    try {
      for (;;) {
        await sleep(clock, due - (clock.monotonic() - start), either);
        const now = clock.now();
        await scrape(Math.abs(now - (startMs + due)) <= tolerance ? Math.round(startMs + due) : now);
        if (either.aborted) break;
        due = nextAfter(clock.monotonic() - start);
      }
    } catch (error) {
      if (!either.aborted) throw error;
    }
    if (end.signal.aborted) return;
    const elapsed = clock.monotonic() - start;
    await markEnd(nextAfter(elapsed) - elapsed);
  };

  const running = run().catch((error) => {
    if (!end.signal.aborted) options.onTrouble(error);
  });
  return {
    get target() {
      return target;
    },
    // The same to scrape and to store; only what discovery said of it is news.
    set target(newer) {
      target = newer;
    },
    metadata,
    state: () => state,
    remove() {
      removal.abort();
      return running;
    },
    abort() {
      end.abort();
      return running;
    },
  };
}

/** `up` and its kind carry the target's labels, and are not relabelled. */
function reportBytes(name: string, target: Target): Uint8Array {
  const labels: MutableLabels = new Map([[METRIC_NAME, name]]);
  setOver(labels, target.labels);
  return encodeLabels(toLabels(labels));
}

/** Milliseconds until the first scrape: spread over the interval, and the same after every start. */
function offsetOf(key: string, intervalMs: number, nowMs: number): number {
  const offset = (fnv1a(key) % intervalMs) - (nowMs % intervalMs);
  return offset < 0 ? offset + intervalMs : offset;
}

/** Source: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
