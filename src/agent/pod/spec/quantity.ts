const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * A Kubernetes quantity as a number, or undefined when it is none: `100m` is 0.1, `64Mi` is 67108864, `1e3` is 1000.
 * Negative quantities parse; whether they are allowed is the caller's business.
 * Source: k8s.io/apimachinery/pkg/api/resource/quantity.go
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const [, digits, suffix = '', exponent] = match;
  if (exponent !== undefined) return Number(`${digits}e${exponent}`);
  // Dividing keeps 100m at 0.1 where multiplying by 1e-3 need not.
  const scale = SUFFIXES[suffix]!;
  return scale < 1 ? Number(digits) / Math.round(1 / scale) : Number(digits) * scale;
}

/** A quantity of bytes, rounded up to whole ones as the API does. */
export function parseBytes(text: string): number | undefined {
  const value = parseQuantity(text);
  return value === undefined ? undefined : Math.ceil(value);
}
