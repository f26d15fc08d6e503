import { bytes, cores, span, trim } from '../format.ts';

type Format = (value: number) => string;

/** How many decimals a number needs to show three digits. */
const decimalsOf = (value: number): number => {
  const size = Math.abs(value);
  return size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
};

const plain: Format = (value) => trim(value, decimalsOf(value));

/** Grafana's unit ids that our dashboards use. */
const UNITS: Readonly<Record<string, (value: number, decimals: number | undefined) => string>> = {
  percentunit: (value, decimals) => `${trim(value * 100, decimals ?? decimalsOf(value * 100))}%`,
  bytes: (value) => bytes(value),
  Bps: (value) => `${bytes(value)}/s`,
  cores: (value) => cores(value),
  s: (value) => (value < 1 ? `${Math.round(value * 1000)}ms` : span(value * 1000)),
  dateTimeFromNow: (value) => `${span(Date.now() - value)} ago`,
  currencyUSD: (value, decimals) => `$${value.toFixed(decimals ?? 4)}`,
};

/** The words for a value in a unit of Grafana's; a unit we do not know is left out. */
export function formatOf(unit: string | undefined, decimals: number | undefined): Format {
  const format = unit === undefined ? undefined : UNITS[unit];
  return (value) => {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? 'no value' : value > 0 ? '∞' : '-∞';
    if (format) return format(value, decimals);
    return decimals === undefined ? plain(value) : trim(value, decimals);
  };
}
