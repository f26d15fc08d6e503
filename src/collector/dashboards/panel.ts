import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The dashboard's own choice of a Prometheus. */
const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
/** Our readings come every 15 s. */
const INTERVAL = '15s';

export interface Query {
  readonly expr: string;
  /** With the series' labels in `{{…}}`. */
  readonly legend?: string;
}

/** From each value on in this colour; the first has no value and is the base. */
export type Thresholds = readonly (readonly [
  from: number | null,
  colour: 'green' | 'yellow' | 'red' | 'text',
])[];

interface Common {
  readonly title: string;
  readonly description: string;
  /** Columns of 24. */
  readonly width: number;
  readonly height: number;
  /** Grafana's unit id; `cores` is ours, which Grafana shows as a suffix. */
  readonly unit?: string;
  readonly decimals?: number;
  /** What is shown where there is no data, in words. */
  readonly noValue?: string;
  readonly thresholds?: Thresholds;
}

export interface StatOptions extends Common {
  readonly query: Query;
}

/** The newest value, large. */
export function stat({ query, ...options }: StatOptions): StatBuilder {
  return common(new StatBuilder(), options)
    .withTarget(target(query).instant())
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value);
}

export interface TimeSeriesOptions extends Common {
  readonly queries: readonly Query[];
  readonly max?: number;
  readonly filled?: boolean;
  /** A range of its own, whatever the dashboard's is: `24h`. */
  readonly range?: string;
}

/** Lines over time. */
export function timeSeries({
  queries,
  max,
  filled,
  range,
  ...options
}: TimeSeriesOptions): TimeSeriesBuilder {
  const panel = common(new TimeSeriesBuilder(), options)
    .min(0)
    .lineWidth(1)
    .fillOpacity(filled ? 12 : 0)
    .interval(INTERVAL)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  if (max !== undefined) panel.max(max);
  if (range !== undefined) panel.timeFrom(range);
  for (const [index, query] of queries.entries()) panel.withTarget(target(query, index).range());
  return panel;
}

export interface TableOptions extends Common {
  readonly query: Query;
  /** The labels to show, in order; all others are left out. */
  readonly columns: readonly string[];
  /** Labels the expression yields and the table leaves out. */
  readonly without?: readonly string[];
  /** What the value is called. */
  readonly value: string;
}

/** The newest samples as rows: labels, then the value. */
export function table({ query, columns, without = [], value, ...options }: TableOptions): TableBuilder {
  const organize = {
    excludeByName: Object.fromEntries(['Time', '__name__', ...without].map((name) => [name, true])),
    indexByName: Object.fromEntries([...columns, 'Value'].map((name, index) => [name, index])),
    renameByName: { Value: value },
  };
  return common(new TableBuilder(), options)
    .withTarget(target(query).instant().format(PromQueryFormat.Table))
    .withTransformation({ id: 'organize', options: organize });
}

interface Settings<Panel> {
  title(title: string): Panel;
  description(description: string): Panel;
  datasource(datasource: { type: string; uid: string }): Panel;
  span(width: number): Panel;
  height(height: number): Panel;
  unit(unit: string): Panel;
  decimals(decimals: number): Panel;
  noValue(text: string): Panel;
  thresholds(thresholds: ThresholdsConfigBuilder): Panel;
}

function common<Panel extends Settings<Panel>>(panel: Panel, options: Common): Panel {
  panel
    .title(options.title)
    .description(options.description)
    .datasource(DATASOURCE)
    .span(options.width)
    .height(options.height)
    .thresholds(toThresholds(options.thresholds ?? [[null, 'text']]));
  if (options.unit !== undefined) panel.unit(options.unit);
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.noValue !== undefined) panel.noValue(options.noValue);
  return panel;
}

function toThresholds(thresholds: Thresholds): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(thresholds.map(([value, color]) => ({ value, color })));
}

function target({ expr, legend }: Query, index = 0): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .datasource(DATASOURCE)
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .expr(expr);
  return legend === undefined ? query : query.legendFormat(legend);
}
