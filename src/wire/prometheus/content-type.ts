export type TextFormat = 'prometheus-0.0.4' | 'openmetrics-1.0.0';

export const CONTENT_TYPE: Readonly<Record<TextFormat, string>> = {
  'prometheus-0.0.4': 'text/plain; version=0.0.4; charset=utf-8',
  'openmetrics-1.0.0': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

// A scraper's header has a handful of entries; what comes after is not read.
const LONGEST_ACCEPT = 4096;

/**
 * The format a scraper prefers by its Accept header. OpenMetrics only when it is asked for by name, in version 1.0.0 or
 * without a version; the plain text format for everything else, so that `curl` and browsers get something readable.
 */
export function negotiate(accept: string): TextFormat {
  let openMetrics = 0;
  let plain = 0;
  for (const entry of accept.slice(0, LONGEST_ACCEPT).split(',')) {
    const [type, ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    const parameter = (name: string) =>
      parameters.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
    const quality = Number(parameter('q') ?? 1);
    if (!(quality > 0)) continue;
    if (type === 'application/openmetrics-text' && /^(1\.0\.0)?$/.test(parameter('version') ?? '')) {
      openMetrics = Math.max(openMetrics, quality);
    } else if (type === 'text/plain' && /^(0\.0\.4)?$/.test(parameter('version') ?? '')) {
      plain = Math.max(plain, quality);
    }
  }
  return openMetrics > 0 && openMetrics >= plain ? 'openmetrics-1.0.0' : 'prometheus-0.0.4';
}
