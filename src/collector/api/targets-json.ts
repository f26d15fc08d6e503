import { type Labels, toRecord } from '../../model/labels.ts';
import { formatDuration } from '../promql/go-format.ts';
import type { ScrapeLoop } from '../scrape/scrape-loop.ts';

const LOCAL_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
// What Go makes of a time that was never set.
const NEVER = '0001-01-01T00:00:00Z';

/** An active target as Prometheus writes it. `externalHost` stands in for this host in links for others. */
export function activeTargetJson(scrapePool: string, loop: ScrapeLoop, externalHost: string) {
  const { target } = loop;
  const state = loop.state();
  return {
    discoveredLabels: toRecord(target.discoveredLabels),
    labels: toRecord(target.labels),
    scrapePool,
    scrapeUrl: target.url,
    globalUrl: globalUrl(target.url, externalHost),
    lastError: state.lastError,
    lastScrape: state.lastScrapeMs === undefined ? NEVER : new Date(state.lastScrapeMs).toISOString(),
    lastScrapeDuration: state.lastDurationMs / 1000,
    health: state.health,
    scrapeInterval: formatDuration(target.intervalMs),
    scrapeTimeout: formatDuration(target.timeoutMs),
  };
}

export function droppedTargetJson(scrapePool: string, discoveredLabels: Labels) {
  return { discoveredLabels: toRecord(discoveredLabels), scrapePool };
}

function globalUrl(url: string, externalHost: string): string {
  const [, scheme, host, rest] = /^(https?:\/\/)(\[[^\]]*\]|[^:/?]*)(.*)$/.exec(url)!;
  return LOCAL_HOSTS.has(host!) ? scheme! + externalHost + rest! : url;
}
