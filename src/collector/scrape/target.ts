import { type Labels, labelsKey, toLabels } from '../../model/labels.ts';
import { CodedError } from '../../util/coded-error.ts';
import { durationMs } from '../../util/duration.ts';
import { formatDuration } from '../promql/go-format.ts';
import type { MutableLabels, Relabel } from './relabel.ts';
import type { ScrapeConfig } from './scrape-config.ts';

/** Something to scrape, with what discovery said and what relabelling made of it. */
export interface Target {
  /** Equal for targets that are scraped alike and give the same series. */
  readonly key: string;
  readonly discoveredLabels: Labels;
  /** What its series get; none that starts with `__`. */
  readonly labels: Labels;
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** What came of a discovered target: `target` is left out when relabelling dropped it. */
export interface Relabelled {
  readonly discoveredLabels: Labels;
  readonly target?: Target;
}

/**
 * The target behind discovered labels (`__address__`, `__meta_…`, the group's), the config's defaults filled in.
 *
 * @throws TARGET_INVALID when it cannot be scraped: no address, a path in it, no usable interval.
 * Source: prometheus/scrape/target.go PopulateLabels
 */
export function toTarget(discovered: Labels, config: ScrapeConfig, relabel: Relabel): Relabelled {
  const labels: MutableLabels = new Map(discovered);
  const defaults: [string, string][] = [
    ['job', config.jobName],
    ['__scrape_interval__', formatDuration(config.intervalMs)],
    ['__scrape_timeout__', formatDuration(config.timeoutMs)],
    ['__metrics_path__', config.metricsPath],
    ['__scheme__', config.scheme],
  ];
  for (const [name, values] of Object.entries(config.params))
    if (values.length > 0) defaults.push([`__param_${name}`, values[0]!]);
  for (const [name, value] of defaults) if (!labels.get(name)) labels.set(name, value);
  const discoveredLabels = toLabels(labels);
  if (!relabel(labels)) return { discoveredLabels };
  const address = labels.get('__address__') ?? '';
  if (address === '' || /[/?#@\s]/.test(address))
    throw invalid(`the address ${JSON.stringify(address)} is not one; write a target as host:port`);
  for (const name of [...labels.keys()]) if (name.startsWith('__meta_')) labels.delete(name);
  if (!labels.get('instance')) labels.set('instance', address);
  const url = urlOf(labels, address, config);
  return {
    discoveredLabels,
    target: {
      key: `${url} ${labelsKey(toLabels(labels))}`,
      discoveredLabels,
      labels: toLabels([...labels].filter(([name]) => !name.startsWith('__'))),
      url,
      ...timesOf(labels, address),
    },
  };
}

function urlOf(labels: MutableLabels, address: string, config: ScrapeConfig): string {
  const scheme = labels.get('__scheme__');
  const text = `${scheme}://${address}`;
  if ((scheme !== 'http' && scheme !== 'https') || !URL.canParse(text))
    throw invalid(`${JSON.stringify(text)} cannot be scraped; only http and https to host:port can`);
  const query = new Map(Object.entries(config.params));
  for (const [label, value] of labels) {
    if (!label.startsWith('__param_')) continue;
    const name = label.slice('__param_'.length);
    query.set(name, [value, ...(query.get(name) ?? []).slice(1)]);
  }
  const pairs = [...query].sort(([a], [b]) => (a < b ? -1 : 1));
  const search = new URLSearchParams(
    pairs.flatMap(([name, values]) => values.map((value): [string, string] => [name, value])),
  ).toString();
  // Not the URL's own spelling, which adds a port and a slash: this one is shown, and told apart by.
  const path = labels.get('__metrics_path__') ?? '';
  const slash = path === '' || path.startsWith('/') ? path : `/${path}`;
  return `${text}${slash.replaceAll('?', '%3F').replaceAll('#', '%23')}${search && `?${search}`}`;
}

function timesOf(labels: MutableLabels, address: string): { intervalMs: number; timeoutMs: number } {
  const time = (name: string) => {
    const text = labels.get(name) ?? '';
    const ms = durationMs(text);
    if (ms !== undefined && ms > 0) return ms;
    throw invalid(`${name} of ${address} is ${JSON.stringify(text)}; write a duration above 0, like 15s`);
  };
  const intervalMs = time('__scrape_interval__');
  const timeoutMs = time('__scrape_timeout__');
  if (timeoutMs > intervalMs)
    throw invalid(`the timeout of ${address}, ${timeoutMs} ms, is above its interval, ${intervalMs} ms`);
  return { intervalMs, timeoutMs };
}

const invalid = (message: string) => new CodedError('TARGET_INVALID', message, { status: 400 });
