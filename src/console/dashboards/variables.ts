import { labelValues } from '../prometheus.ts';
import type { GrafanaVariable } from './grafana.ts';
import { type Choices, interpolate, type TimeRange } from './interpolate.ts';

/** The variables someone can choose: not the data source, which here is this collector. */
export function choosable(variables: readonly GrafanaVariable[]): readonly GrafanaVariable[] {
  return variables.filter(({ type }) => type === 'query' || type === 'textbox');
}

/** The values a query variable offers, by its `label_values(SELECTOR, LABEL)`. */
export async function offeredValues(
  variable: GrafanaVariable,
  variables: readonly GrafanaVariable[],
  choices: Choices,
  range: TimeRange,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const text = typeof variable.query === 'string' ? variable.query : String(variable.query?.query ?? '');
  const match = /^label_values\(\s*(?:(.+),)?\s*([A-Za-z_][A-Za-z0-9_]*)\s*\)$/s.exec(text);
  if (match === null) return [];
  const selector =
    match[1] === undefined ? undefined : interpolate(match[1].trim(), variables, choices, range);
  return labelValues(match[2]!, selector, range, signal);
}
