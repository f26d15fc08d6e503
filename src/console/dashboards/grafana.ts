/** As much of Grafana's dashboard JSON as our dashboards use and this console draws. */
export interface GrafanaDashboard {
  readonly uid: string;
  readonly title: string;
  readonly description?: string;
  readonly time?: { readonly from: string; readonly to: string };
  readonly templating?: { readonly list: readonly GrafanaVariable[] };
  readonly panels: readonly GrafanaPanel[];
}

export interface GrafanaVariable {
  readonly type: string;
  readonly name: string;
  readonly label?: string;
  /** `label_values(SELECTOR, LABEL)` of a query variable; the first value of a text box. */
  readonly query?: string | Readonly<Record<string, unknown>>;
  readonly includeAll?: boolean;
  readonly allValue?: string;
}

export interface GrafanaPanel {
  readonly id?: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly gridPos?: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  /** The panel's own range, back from now: `24h`. */
  readonly timeFrom?: string;
  readonly targets?: readonly GrafanaTarget[];
  readonly fieldConfig?: {
    readonly defaults?: FieldDefaults;
    readonly overrides?: readonly {
      readonly matcher: { readonly id: string; readonly options?: unknown };
      readonly properties: readonly { readonly id: string; readonly value?: unknown }[];
    }[];
  };
  readonly options?: { readonly reduceOptions?: { readonly calcs?: readonly string[] } };
  readonly transformations?: readonly {
    readonly id: string;
    readonly options?: Readonly<Record<string, unknown>>;
  }[];
}

export interface GrafanaTarget {
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
}

export interface FieldDefaults {
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly noValue?: string;
  readonly thresholds?: {
    readonly steps: readonly { readonly value: number | null; readonly color: string }[];
  };
  readonly custom?: { readonly fillOpacity?: number; readonly drawStyle?: string };
}

/** `{{pod}} of {{namespace}}` with the series' labels; without a format, the labels themselves. */
export function legendOf(format: string | undefined, metric: Readonly<Record<string, string>>): string {
  if (format && format !== '__auto') {
    return format.replace(/\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g, (_, name: string) => metric[name] ?? '');
  }
  const { __name__: name = '', ...labels } = metric;
  const shown = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return shown.length > 0 ? shown.join(', ') : name || 'value';
}

/** The colour word of the last threshold at or below the value. */
export function thresholdColour(defaults: FieldDefaults | undefined, value: number): string | undefined {
  const steps = defaults?.thresholds?.steps ?? [];
  return steps.filter((step) => step.value === null || value >= step.value).at(-1)?.color;
}
