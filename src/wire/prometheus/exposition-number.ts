const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '+infinity': Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
};

/** A number as Go's ParseFloat takes it, without hexadecimals and underscores; undefined for anything else. */
export function parseFloatText(text: string): number | undefined {
  if (!DECIMAL.test(text)) return text.length > 9 ? undefined : SPECIAL[text.toLowerCase()];
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
