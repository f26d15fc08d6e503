import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseExpr } from '../../src/collector/promql/parse-expr.ts';
import { selectorsOf } from '../../src/collector/promql/selectors-of.ts';
import { toLabels } from '../../src/model/labels.ts';
import { type BenchSeries, counter, random, type Span, times } from './series.ts';

/** An expression of a dashboard, as Grafana sends it with all variables on "All". */
export interface PanelQuery {
  readonly dashboard: string;
  readonly expr: string;
  readonly instant: boolean;
}

interface Panel {
  readonly targets?: readonly { readonly expr?: string; readonly instant?: boolean }[];
  readonly panels?: readonly Panel[];
}

const VARIABLES: Readonly<Record<string, string>> = {
  $namespace: '.*',
  $workload: '.*',
  $pod: '.*',
  $cpu_core_hour: '0.033',
  $memory_gib_hour: '0.0045',
  $__rate_interval: '1m',
  $__range: '24h',
  $__range_s: '86400',
  $__interval: '1m',
  $__interval_ms: '60000',
};

/** Variables we know nothing of match everything. */
const variable = (name: string) => VARIABLES[`$${name}`] ?? '.*';

/** Each expression of the committed dashboards once. */
export function panelQueries(folder: string): readonly PanelQuery[] {
  const seen = new Map<string, PanelQuery>();
  for (const file of readdirSync(folder).sort()) {
    const visit = (panels: readonly Panel[]) => {
      for (const { targets = [], panels: inner = [] } of panels) {
        for (const { expr, instant = false } of targets) {
          if (expr === undefined) continue;
          const text = expr.replaceAll(/\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g, (_, braced, bare) =>
            variable(braced ?? bare),
          );
          seen.set(`${text} ${instant}`, { dashboard: file.replace('.json', ''), expr: text, instant });
        }
        visit(inner);
      }
    };
    visit((JSON.parse(readFileSync(join(folder, file), 'utf8')) as { panels: Panel[] }).panels);
  }
  return [...seen.values()];
}

const NAMESPACES = ['shop', 'pay', 'search', 'platform'];
const WORKLOADS = 15;
const REPLICAS = 3;

/**
 * Series for every metric the panels read: 180 pods of 60 workloads in 4 namespaces. Counters by their names,
 * ratios and cores as fractions, bytes as whole numbers that wander, all else small whole numbers that stay.
 */
export function shopSeries(queries: readonly PanelQuery[], span: Span): BenchSeries[] {
  const wanted = new Map<string, Map<string, string>>();
  for (const { expr } of queries) {
    for (const { metricName, matchers } of selectorsOf(parseExpr(expr))) {
      if (metricName === undefined) continue;
      const fixed = wanted.get(metricName) ?? new Map<string, string>();
      wanted.set(metricName, fixed);
      for (const { name, op, value } of matchers)
        if (op === '=' && name !== '__name__') fixed.set(name, value);
    }
  }
  return [...wanted].flatMap(([name, fixed]) => seriesOf(name, Object.fromEntries(fixed), span));
}

function seriesOf(name: string, fixed: Readonly<Record<string, string>>, span: Span): BenchSeries[] {
  const out: BenchSeries[] = [];
  const next = random([...name].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7));
  for (const namespace of NAMESPACES) {
    for (let w = 0; w < WORKLOADS; w += 1) {
      const workload = `app-${w}`;
      const ofWorkload =
        /workload:|_workload_|^slo:/.test(name) && !name.startsWith('namespace_workload_pod');
      const ofFew = name === 'ALERTS' || /reason|crash_loops|oom_kills|back_off/.test(name);
      if (ofFew && w % 5 !== 0) continue;
      for (let replica = 0; replica < (ofWorkload ? 1 : REPLICAS); replica += 1) {
        const labels = {
          ...labelsOf(name, namespace, workload, ofWorkload ? undefined : `${workload}-${replica}-x${w}k`),
          ...fixed,
        };
        out.push({
          labels: toLabels({ __name__: name, ...labels }),
          t: times(span, next),
          v: values(name, span, next),
        });
      }
    }
  }
  return out;
}

function labelsOf(
  name: string,
  namespace: string,
  workload: string,
  pod: string | undefined,
): Record<string, string> {
  const labels: Record<string, string> = { namespace, job: 'bench' };
  if (pod !== undefined) labels.pod = pod;
  if (pod === undefined || /workload|^ALERTS/.test(name)) labels.workload = workload;
  if (name.startsWith('slo:')) labels.slo = 'availability';
  if (name === 'ALERTS') labels.alertname = 'PodNotReady';
  if (/container/.test(name) && !/network/.test(name)) labels.container = 'main';
  if (/deaths_total|waiting_reason/.test(name)) labels.reason = 'CrashLoopBackOff';
  if (/startup_stage/.test(name)) labels.stage = 'ready';
  if (/prober/.test(name)) labels.probe_type = 'Readiness';
  return labels;
}

function values(name: string, { samples }: Span, next: () => number): Float64Array {
  if (/seconds_total$/.test(name)) return counter(samples, 900, next).map((v) => v / 1000);
  if (/bytes_total$/.test(name)) return counter(samples, 40_000, next);
  if (/_total$/.test(name)) return counter(samples, 0.6, next);
  if (/ratio|cores|rate|usage/.test(name))
    return Float64Array.from({ length: samples }, () => 0.2 + 0.1 * next());
  if (/bytes|memory|rss/.test(name)) {
    let pages = 12_000;
    return Float64Array.from({ length: samples }, () => {
      pages += Math.floor((next() - 0.5) * 20);
      return pages * 4096;
    });
  }
  return new Float64Array(samples).fill(1 + Math.floor(next() * 2));
}
