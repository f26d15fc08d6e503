import type { GrafanaVariable } from './grafana.ts';

export type Choices = Readonly<Record<string, string>>;

/** What a variable stands for when everything is chosen. */
export const ALL = '$__all';

export interface TimeRange {
  /** Seconds. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

const RATE_INTERVAL_SECONDS = 60;

/**
 * An expression with Grafana's variables filled in: chosen values as regular expressions that match only themselves,
 * text boxes as numbers, `$__rate_interval`, `$__interval`, `$__interval_ms` and `$__range` by the range.
 */
export function interpolate(
  expr: string,
  variables: readonly GrafanaVariable[],
  choices: Choices,
  { start, end, step }: TimeRange,
): string {
  const built: Readonly<Record<string, string>> = {
    __rate_interval: `${Math.max(RATE_INTERVAL_SECONDS, step * 4)}s`,
    __interval: `${step}s`,
    __interval_ms: String(step * 1000),
    __range: `${end - start}s`,
  };
  return expr.replace(
    /\$(?:\{([A-Za-z_]+)(?::[a-z]+)?\}|([A-Za-z_]+))/g,
    (whole, braced?: string, bare?: string) => {
      const name = braced ?? bare!;
      if (built[name] !== undefined) return built[name];
      const variable = variables.find((candidate) => candidate.name === name);
      return variable === undefined ? whole : valueIn(variable, choices[name] ?? firstChoice(variable));
    },
  );
}

function valueIn(variable: GrafanaVariable, chosen: string): string {
  if (variable.type === 'textbox')
    return Number.isFinite(Number(chosen)) && chosen.trim() !== '' ? chosen.trim() : '0';
  if (chosen === ALL) return variable.allValue ?? '.*';
  // Once for the regular expression, once more for the string it stands in.
  return chosen
    .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replace(/[\\"]/g, '\\$&')
    .replace(/\n/g, '\\n');
}

export function firstChoice(variable: GrafanaVariable): string {
  if (variable.type === 'textbox') return typeof variable.query === 'string' ? variable.query : '';
  return ALL;
}
