import type { InstantSample } from '../prometheus.ts';
import type { GrafanaPanel } from './grafana.ts';

export interface Column {
  readonly name: string;
  readonly unit?: string | undefined;
  readonly decimals?: number | undefined;
}

export interface TableData {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (string | number)[])[];
}

interface Organize {
  readonly excludeByName?: Readonly<Record<string, boolean>>;
  readonly indexByName?: Readonly<Record<string, number>>;
  readonly renameByName?: Readonly<Record<string, string>>;
}

/**
 * Samples as a table, as Grafana makes it of an instant query: a column for each label and one for the value, then
 * ordered, named and left out by the panel's `organize` transformation. Rows by value, largest first.
 */
export function toTable(panel: GrafanaPanel, samples: readonly InstantSample[]): TableData {
  const organize = (panel.transformations?.find(({ id }) => id === 'organize')?.options ?? {}) as Organize;
  const labels = new Set(samples.flatMap(({ metric }) => Object.keys(metric)));
  const fields = [...labels, 'Value']
    .filter((field) => field !== '__name__' && organize.excludeByName?.[field] !== true)
    .sort((a, b) => position(organize, a) - position(organize, b));
  const shown = [...samples].sort((a, b) => b.value - a.value);
  return {
    columns: fields.map((field) => {
      const name = organize.renameByName?.[field] ?? field;
      return field === 'Value' ? { name, ...valueFormat(panel, name) } : { name };
    }),
    rows: shown.map(({ metric, value }) =>
      fields.map((field) => (field === 'Value' ? value : (metric[field] ?? ''))),
    ),
  };
}

// Fields without a place come after those that have one; the value comes last.
function position({ indexByName }: Organize, field: string): number {
  return indexByName?.[field] ?? (field === 'Value' ? 1000 : 999);
}

function valueFormat({ fieldConfig }: GrafanaPanel, name: string): Pick<Column, 'unit' | 'decimals'> {
  const override = fieldConfig?.overrides?.find(
    ({ matcher }) => matcher.id === 'byName' && matcher.options === name,
  );
  const own = (id: string) => override?.properties.find((property) => property.id === id)?.value;
  return {
    unit: (own('unit') as string | undefined) ?? fieldConfig?.defaults?.unit,
    decimals: (own('decimals') as number | undefined) ?? fieldConfig?.defaults?.decimals,
  };
}
