import { stringify } from 'yaml';
import { durationMs } from '../../util/duration.ts';
import { formatDuration } from '../promql/go-format.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { prettyExpr } from '../promql/print-expr.ts';
import type { BurnRateWindow } from './policy.ts';
import type { Slo } from './slo.ts';

/** A rule as it stands in a rule file. */
interface FileRule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface FileGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly FileRule[];
}

/** Windows this long change slowly and cost more: their rules run once a minute. */
const SLOW_WINDOW_MS = 2 * 3_600_000;
const SLOW_INTERVAL = '1m';
const NO_DATA_WINDOW = '10m';

/**
 * The rule file of some SLOs, as text. For each window it records `slo:sli_total:increase<w>` and
 * `slo:sli_error:ratio_rate<w>`, bad over total events of the whole window: never an average of ratios, 0 where there
 * were no events, absent where there is no data, and never NaN. `source` names the file they come from.
 * Names as Sloth has them, with the labels `slo` and `service`.
 */
export function sloRuleFile(slos: readonly Slo[], source: string): string {
  const head = `# Made by podvitals from ${source}. Change that file, not this one.\n`;
  return head + stringify({ groups: slos.flatMap(groupsOf) }, { lineWidth: 0, aliasDuplicateObjects: false });
}

function groupsOf(slo: Slo): readonly FileGroup[] {
  const windows = windowsOf(slo);
  const isSlow = (window: string) => durationMs(window)! >= SLOW_WINDOW_MS;
  return [
    {
      name: `slo.${slo.name}.fast`,
      rules: [
        ...windows.filter((window) => !isSlow(window)).flatMap((window) => sli(slo, window)),
        ...burn(slo),
      ],
    },
    {
      name: `slo.${slo.name}.slow`,
      interval: SLOW_INTERVAL,
      rules: [...windows.filter(isSlow).flatMap((window) => sli(slo, window)), ...budget(slo)],
    },
    { name: `slo.${slo.name}.alerts`, rules: [...burnAlerts(slo), noDataAlert(slo)] },
  ];
}

/** Every window of the policy and the period itself, shortest first. */
function windowsOf(slo: Slo): readonly string[] {
  const windows = new Set([...slo.policy.flatMap(({ long, short }) => [short, long]), slo.period]);
  return [...windows].sort((a, b) => durationMs(a)! - durationMs(b)!);
}

const labelsOf = (slo: Slo) => ({ service: slo.service, slo: slo.name });
const format = (expr: string) => prettyExpr(parseExpr(expr));
const record = (slo: Slo, name: string, expr: string): FileRule => ({
  record: name,
  expr: format(expr),
  labels: labelsOf(slo),
});

const totalOf = (slo: Slo, window: string) => `slo:sli_total:increase${window}{slo="${slo.name}"}`;
const errorOf = (slo: Slo, window: string) => `slo:sli_error:ratio_rate${window}{slo="${slo.name}"}`;

function sli(slo: Slo, window: string): readonly FileRule[] {
  const on = `on (${slo.by.join(', ')})`;
  const increase = (selector: string) => `sum by (${slo.by.join(', ')}) (increase(${selector}[${window}]))`;
  const total = totalOf(slo, window);
  // A good or bad series that does not exist has counted nothing.
  const share = (selector: string) => `(${increase(selector)} or ${on} 0 * ${total}) / ${on} (${total} > 0)`;
  const error = slo.bad === undefined ? `clamp_min(1 - ${share(slo.good!)}, 0)` : share(slo.bad);
  return [
    record(slo, `slo:sli_total:increase${window}`, increase(slo.total)),
    record(slo, `slo:sli_error:ratio_rate${window}`, `(${error}) or ${on} (${total} == 0)`),
  ];
}

function burn(slo: Slo): readonly FileRule[] {
  return [
    record(slo, 'slo:objective:ratio', `vector(${slo.target})`),
    record(slo, 'slo:error_budget:ratio', `vector(${slo.budget})`),
    record(slo, 'slo:time_period:days', `vector(${slo.periodMs / 86_400_000})`),
    record(slo, 'slo:current_burn_rate:ratio', `${errorOf(slo, slo.policy[0]!.short)} / ${slo.budget}`),
  ];
}

function budget(slo: Slo): readonly FileRule[] {
  const spent = `${errorOf(slo, slo.period)} / ${slo.budget}`;
  return [
    record(slo, 'slo:period_burn_rate:ratio', spent),
    record(slo, 'slo:period_error_budget_remaining:ratio', `1 - ${spent}`),
  ];
}

function burnAlerts(slo: Slo): readonly FileRule[] {
  return (['page', 'ticket'] as const).flatMap((severity) => {
    const windows = slo.policy.filter((window) => window.severity === severity);
    return windows.length === 0 ? [] : [burnAlert(slo, severity, windows)];
  });
}

function burnAlert(slo: Slo, severity: string, windows: readonly BurnRateWindow[]): FileRule {
  const on = `on (${slo.by.join(', ')})`;
  const subject = slo.by.length === 0 ? slo.service : placeOf(slo.by);
  return {
    alert: 'SLOBudgetBurn',
    expr: format(windows.map((window) => burning(slo, window, on)).join(` or ${on} `)),
    labels: { ...labelsOf(slo), severity },
    annotations: {
      summary: `The error budget of ${slo.name} burns too fast for ${subject}.`,
      description: `{{ $value | humanizePercentage }} of its events are bad over ${windows.map(({ long }) => long).join(' or ')}, and still are; ${percent(slo.budget)} may be. ${slo.description}`,
      runbook_url: runbookUrl('SLOBudgetBurn', slo),
    },
  };
}

function burning(slo: Slo, { factor, long, short }: BurnRateWindow, on: string): string {
  const limit = `(${factor} * ${slo.budget})`;
  return `(${errorOf(slo, long)} > ${limit} and ${on} ${errorOf(slo, short)} > ${limit} and ${on} ${totalOf(slo, long)} >= ${slo.minimumExposure})`;
}

// Data that was there yesterday and is not now. Data that never was is a file for something that does not run here.
function noDataAlert(slo: Slo): FileRule {
  return {
    alert: 'SLONoData',
    expr: format(
      `group(last_over_time(${slo.total}[1d])) unless on () group(last_over_time(${slo.total}[${NO_DATA_WINDOW}]))`,
    ),
    for: formatDuration(noDataHoldMs(slo)),
    labels: { ...labelsOf(slo), severity: 'ticket' },
    annotations: {
      summary: `${slo.name} has no data.`,
      description: `Nothing has counted the events of ${slo.name} for more than ${NO_DATA_WINDOW}: whether its objective holds is not known.`,
      runbook_url: runbookUrl('SLONoData', { ...slo, by: [] }),
    },
  };
}

/** As long as a total outage takes to spend 2% of the budget, whole minutes, within 5 minutes and an hour. */
function noDataHoldMs(slo: Slo): number {
  const minutes = Math.round((slo.periodMs * slo.budget * 0.02) / 60_000);
  return Math.min(60, Math.max(5, minutes)) * 60_000;
}

function placeOf(by: readonly string[]): string {
  const named = (label: string) => `{{ $labels.${label} }}`;
  if (by.includes('namespace') && by.includes('workload'))
    return `${named('namespace')}/${named('workload')}`;
  return by.map((label) => `${label} ${named(label)}`).join(', ');
}

function runbookUrl(alert: string, slo: Slo): string {
  const query = [`slo=${slo.name}`, ...slo.by.map((label) => `${label}={{ $labels.${label} | urlquery }}`)];
  return `{{ with $externalLabels.podvitals_url }}{{ . }}{{ else }}{{ $externalURL }}{{ end }}/runbooks/${alert}?${query.join('&')}`;
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(4))}%`;
}
