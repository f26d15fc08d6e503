import type { FastifyBaseLogger } from 'fastify';
import { type Clock, sleep } from '../../util/clock.ts';
import { isCodedError } from '../../util/coded-error.ts';
import type { Appender, Committed } from '../storage/storage.ts';
import { createConnections } from './fetch-exposition.ts';
import { createFileDiscovery } from './file-discovery.ts';
import type { ScrapeConfig, TargetGroup } from './scrape-config.ts';
import type { Room } from './scrape-loop.ts';
import { createScrapePool, type ScrapePool } from './scrape-pool.ts';

export interface ScrapeOptions {
  readonly configs: readonly ScrapeConfig[];
  readonly appender: () => Appender;
  readonly onCommitted: (committed: Committed) => void;
  readonly clock: Clock;
  readonly logger: Pick<FastifyBaseLogger, 'warn' | 'error'>;
}

/** All that is scraped. */
export interface Scrape {
  /** By the name of their job. */
  pools(): readonly Pick<ScrapePool, 'jobName' | 'active' | 'dropped'>[];
  stats(): ScrapeStats;
  /** Ends without stale markers: a restart is no end of what is watched. Idempotent. */
  close(): Promise<void>;
}

/** Counts since it was started, for its metrics. */
export interface ScrapeStats {
  readonly beyondLimit: number;
}

const POLL_MS = 2000;
const BODIES_BYTES = 512 * 2 ** 20;

/** Begins to scrape; returns once static targets have their loops and the files of targets were read. */
export async function startScrape(options: ScrapeOptions): Promise<Scrape> {
  const { clock, configs } = options;
  const connections = createConnections();
  const closing = new AbortController();
  const room = createRoom(BODIES_BYTES);
  const onTrouble = createTrouble(options.logger, clock);
  let beyondLimit = 0;
  const onBeyondLimit = () => {
    beyondLimit += 1;
  };
  const pools = configs.map((config) =>
    createScrapePool({
      config,
      appender: options.appender,
      onCommitted: options.onCommitted,
      connections,
      room,
      clock,
      onTrouble,
      onBeyondLimit,
    }),
  );

  const discover = configs.map((config, i) => discovery(config, pools[i]!, onTrouble));
  await Promise.all(discover.map((step) => step()));
  const polling = configs.map(async (config, i) => {
    if (config.fileDiscovery.length === 0) return;
    for (;;) {
      await sleep(clock, POLL_MS, closing.signal);
      await discover[i]!();
    }
  });
  const polled = polling.map((loop) =>
    loop.catch((error) => {
      if (!closing.signal.aborted) onTrouble(error);
    }),
  );

  return {
    pools: () => [...pools].sort((a, b) => (a.jobName < b.jobName ? -1 : 1)),
    stats: () => ({ beyondLimit }),
    async close() {
      closing.abort();
      await Promise.all(polled);
      await Promise.all(pools.map((pool) => pool.stop()));
      connections.close();
    },
  };
}

/** One look at what a config's discoveries say; the pool is told when that changed. */
function discovery(
  config: ScrapeConfig,
  pool: ScrapePool,
  onTrouble: (error: unknown) => void,
): () => Promise<void> {
  const files = config.fileDiscovery.map(({ files }) => createFileDiscovery(files, onTrouble));
  let groups: (readonly TargetGroup[])[] = files.map(() => []);
  let first = true;
  return async () => {
    const news = await Promise.all(files.map((file) => file.poll()));
    if (!first && news.every((found) => found === undefined)) return;
    first = false;
    groups = groups.map((before, i) => news[i] ?? before);
    pool.sync([...config.staticGroups, ...groups.flat()]);
  };
}

function createRoom(bytes: number): Room {
  let left = bytes;
  return {
    take(wanted) {
      if (wanted > left) return false;
      left -= wanted;
      return true;
    },
    give(back) {
      left += back;
    },
  };
}

const SAME_TROUBLE_MS = 60_000;

/** Logs trouble; of one kind at most once a minute, as ten thousand targets may have the same. */
function createTrouble(logger: ScrapeOptions['logger'], clock: Clock): (error: unknown) => void {
  const lastToldMs = new Map<string, number>();
  return (error) => {
    if (!isCodedError(error)) {
      logger.error({ err: error }, 'scraping met something unforeseen');
      return;
    }
    const now = clock.monotonic();
    if (now - (lastToldMs.get(error.code) ?? Number.NEGATIVE_INFINITY) < SAME_TROUBLE_MS) return;
    lastToldMs.set(error.code, now);
    logger.warn({ code: error.code }, error.message);
  };
}
