import { signalsNamed } from '../catalogue/catalogue.ts';
import { samplesOf } from '../catalogue/series.ts';
import type { Point, Signal } from '../catalogue/signal.ts';
import { CONTENT_TYPE, negotiate, type TextFormat } from './content-type.ts';

/**
 * The points of one of the agent's paths, for a scraper that sent this Accept header. Points of other paths are left
 * out, and those that ended. No timestamps: with them Prometheus would write no stale marker, and a dead container would haunt graphs for
 * five minutes.
 */
export function expose(
  points: readonly Point[],
  path: Signal['path'],
  accept: string,
): { readonly contentType: string; readonly body: string } {
  const format = negotiate(accept);
  return {
    contentType: CONTENT_TYPE[format],
    body: renderText(
      points.filter((point) => point.signal.path === path && !point.ended),
      format,
    ),
  };
}

/**
 * Points as text: each family once with its HELP and TYPE, in order of first appearance, with all its series together.
 * Sources: https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function renderText(points: readonly Point[], format: TextFormat): string {
  const families = Map.groupBy(points, (point) => point.signal.name);
  let text = '';
  for (const [name, members] of families) {
    text += header(name, members[0]!.signal, format);
    for (const point of members) text += series(point);
  }
  return format === 'openmetrics-1.0.0' ? `${text}# EOF\n` : text;
}

function header(name: string, signal: Signal, format: TextFormat): string {
  const family = format === 'openmetrics-1.0.0' ? openMetricsFamily(signal) : { name, type: signal.type };
  return `# HELP ${family.name} ${escapeHelp(signal.help, format)}\n# TYPE ${family.name} ${family.type}\n`;
}

// OpenMetrics takes `_total` off a counter's family name. A counter without `_total` (cAdvisor has one) cannot be a
// counter there, nor one whose bare name a gauge has already: both are declared `unknown`, under their full name.
function openMetricsFamily(signal: Signal): { readonly name: string; readonly type: string } {
  if (signal.type !== 'counter') return { name: signal.name, type: signal.type };
  const bare = signal.name.replace(/_total$/, '');
  if (bare === signal.name || signalsNamed(bare).length > 0) return { name: signal.name, type: 'unknown' };
  return { name: bare, type: 'counter' };
}

function series(point: Point): string {
  const { signal, labels } = point;
  let inner = '';
  for (let i = 0; i < signal.labels.length; i += 1) {
    const value = labels[i];
    if (value) inner += `,${signal.labels[i]!.name}="${escapeValue(value)}"`;
  }
  for (const [name, value] of signal.constants ?? []) inner += `,${name}="${value}"`;
  let text = '';
  for (const { suffix, le, value } of samplesOf(point)) {
    const all = le === undefined ? inner : `${inner},le="${le}"`;
    text += `${signal.name}${suffix}${all && `{${all.slice(1)}}`} ${formatValue(value)}\n`;
  }
  return text;
}

function formatValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };
const escaped = (character: string) => ESCAPES[character]!;

function escapeValue(value: string): string {
  return value.replace(/[\\\n"]/g, escaped).toWellFormed();
}

function escapeHelp(help: string, format: TextFormat): string {
  return help.replace(format === 'openmetrics-1.0.0' ? /[\\\n"]/g : /[\\\n]/g, escaped);
}
