import { Chart } from '../chart.tsx';
import { type InstantSample, queryInstant, queryRange } from '../prometheus.ts';
import { useAsked } from '../request.ts';
import { podAddress } from '../router.ts';
import { alignTo, READINGS_SECONDS, stepOf, timesOf } from '../time-range.ts';
import { type GrafanaPanel, type GrafanaVariable, legendOf, thresholdColour } from './grafana.ts';
import { type Choices, interpolate, type TimeRange } from './interpolate.ts';
import { toTable } from './table.ts';
import { formatOf } from './unit.ts';

export interface PanelProps {
  readonly panel: GrafanaPanel;
  readonly variables: readonly GrafanaVariable[];
  readonly choices: Choices;
  readonly range: TimeRange;
}

const EVERY_MS = 15_000;

const KINDS = { stat: Stat, timeseries: TimeSeries, table: Table } as const;

/** One panel in its place of the 24 columns. */
export function Panel(props: PanelProps) {
  const { panel } = props;
  const Kind = KINDS[panel.type as keyof typeof KINDS];
  const { x = 0, w = 24, h = 8 } = panel.gridPos ?? {};
  return (
    <section class={`panel panel-${panel.type} w-${w} x-${x} h-${h}`} aria-label={panel.title}>
      <h2 title={panel.description}>
        {panel.title}
        {panel.timeFrom && <small> last {panel.timeFrom}</small>}
      </h2>
      {Kind === undefined ? (
        <p class="faint">Panels of type {panel.type} are drawn by Grafana only.</p>
      ) : (
        <Kind {...props} />
      )}
    </section>
  );
}

function exprs({ panel, variables, choices, range }: PanelProps): readonly string[] {
  return (panel.targets ?? []).map(({ expr }) => interpolate(expr, variables, choices, range));
}

function useInstant(props: PanelProps) {
  const asked = exprs(props);
  return useAsked(
    `instant ${asked.join('\n')}`,
    async (signal) =>
      (await Promise.all(
        asked.map((expr) => queryInstant(expr, Math.floor(Date.now() / 1000), signal)),
      )) as readonly (readonly InstantSample[])[],
    EVERY_MS,
  );
}

function Stat(props: PanelProps) {
  const { panel } = props;
  const { value, error } = useInstant(props);
  if (error) return <p class="panel-error">{error.message}</p>;
  if (value === undefined) return <p class="faint">…</p>;
  const defaults = panel.fieldConfig?.defaults;
  const format = formatOf(defaults?.unit, defaults?.decimals);
  const samples = value.flatMap((list, index) =>
    list.map((sample) => ({ ...sample, legend: panel.targets?.[index]?.legendFormat })),
  );
  if (samples.length === 0) return <p class="stat-value faint">{defaults?.noValue ?? 'no data'}</p>;
  return (
    <div class="stats">
      {samples.slice(0, 8).map(({ metric, value: number, legend }) => (
        <p
          key={JSON.stringify(metric)}
          class={`stat-value colour-${thresholdColour(defaults, number) ?? 'text'}`}
        >
          {format(number)}
          {samples.length > 1 && <small>{legendOf(legend, metric)}</small>}
        </p>
      ))}
    </div>
  );
}

function Table(props: PanelProps) {
  const { value, error } = useInstant(props);
  if (error) return <p class="panel-error">{error.message}</p>;
  if (value === undefined) return <p class="faint">…</p>;
  const { columns, rows } = toTable(props.panel, value.flat());
  if (rows.length === 0)
    return <p class="faint">{props.panel.fieldConfig?.defaults?.noValue ?? 'Nothing.'}</p>;
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const [namespaceAt, podAt] = [at('namespace'), at('pod')];
  return (
    <div class="table-scroll">
      <table>
        <thead>
          <tr>
            {columns.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.join('\0')}>
              {row.map((cell, index) => (
                <td key={columns[index]!.name} class={typeof cell === 'number' ? 'number' : ''}>
                  {typeof cell === 'number' ? (
                    formatOf(columns[index]!.unit, columns[index]!.decimals)(cell)
                  ) : index === podAt && namespaceAt >= 0 ? (
                    <a href={podAddress(String(row[namespaceAt]), cell)}>{cell}</a>
                  ) : (
                    cell
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const MOST_LINES = 24;
/** Scales reach at least this far, so that next to nothing looks like it. */
const LEAST_TOP: Readonly<Record<string, number>> = {
  percentunit: 0.01,
  cores: 0.01,
  bytes: 2 ** 20,
  Bps: 1024,
};

function TimeSeries(props: PanelProps) {
  const range = ownRange(props);
  const asked = exprs({ ...props, range });
  const { value, error } = useAsked(
    `range ${range.end - range.start} ${asked.join('\n')}`,
    async (signal) => {
      // The last point is now, however far apart the points are.
      const end = Math.floor(Date.now() / 1000 / READINGS_SECONDS) * READINGS_SECONDS;
      const moved = { start: end - (range.end - range.start), end, step: range.step };
      return { ...moved, series: await Promise.all(asked.map((expr) => queryRange(expr, moved, signal))) };
    },
    EVERY_MS,
  );
  if (error) return <p class="panel-error">{error.message}</p>;
  if (value === undefined) return <p class="faint">…</p>;
  const { panel } = props;
  const defaults = panel.fieldConfig?.defaults;
  const named = value.series.flatMap((list, index) =>
    list.map((series) => ({ name: legendOf(panel.targets?.[index]?.legendFormat, series.metric), series })),
  );
  if (named.length === 0) return <p class="faint">{defaults?.noValue ?? 'No data in this time.'}</p>;
  const times = timesOf(value);
  const format = formatOf(defaults?.unit, defaults?.decimals);
  const shown = named.slice(0, MOST_LINES);
  return (
    <>
      <Chart
        label={`${panel.title}: ${shown.map(({ name }) => name).join(', ')}`}
        times={times}
        lines={shown.map(({ name, series }, index) => ({
          name,
          colour: index,
          filled: (defaults?.custom?.fillOpacity ?? 0) > 0 && shown.length <= 3,
          values: alignTo(times, series.points),
        }))}
        format={format}
        binary={defaults?.unit === 'bytes'}
        whole={defaults?.decimals === 0 && defaults.unit === undefined}
        from={value.start}
        to={value.end}
        atLeast={defaults?.max ?? LEAST_TOP[defaults?.unit ?? ''] ?? 0}
        height={190}
      />
      <ul class="legend">
        {shown.map(({ name, series }, index) => (
          <li key={`${index}-${name}`}>
            <i class={`swatch swatch-${index % 8}`} aria-hidden="true" />
            {name} <b>{format(series.points.at(-1)![1])}</b>
          </li>
        ))}
        {named.length > shown.length && <li class="faint">and {named.length - shown.length} more</li>}
      </ul>
    </>
  );
}

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

function ownRange({ panel, range }: PanelProps): TimeRange {
  const [, number, unit] = /^(\d+)([mhd])$/.exec(panel.timeFrom ?? '') ?? [];
  if (number === undefined) return range;
  const seconds = Number(number) * SECONDS[unit!]!;
  return { start: range.end - seconds, end: range.end, step: stepOf(seconds) };
}
