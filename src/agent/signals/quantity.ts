const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
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
 * The value of a Kubernetes quantity: `100m` is 0.1, `64Mi` is 67108864, `1e3` is 1000. Undefined when it is none.
 * Source: apimachinery pkg/api/resource/quantity.go
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(text);
  const factor = match && Object.hasOwn(FACTORS, match[2]!) ? FACTORS[match[2]!] : undefined;
  // Divided, not multiplied by a fraction: 100m is 0.1, not 0.10000000000000001.
  return factor === undefined
    ? undefined
    : factor < 1
      ? Number(match![1]) / Math.round(1 / factor)
      : Number(match![1]) * factor;
}
