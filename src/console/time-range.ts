/** Spans that can be chosen, all ending now or at a time of the address. */
export const RANGES = [
  { word: '15m', seconds: 15 * 60 },
  { word: '1h', seconds: 3600 },
  { word: '6h', seconds: 6 * 3600 },
  { word: '24h', seconds: 24 * 3600 },
] as const;

export type Range = (typeof RANGES)[number];

/** The span called so; an hour when there is none. */
export function rangeCalled(word: string | null | undefined): Range {
  return RANGES.find((range) => range.word === word) ?? RANGES[1];
}

/** How often there is something new to read. */
export const READINGS_SECONDS = 15;

/** Seconds between points: about 240 of them, at least as far apart as the readings are. */
export function stepOf(seconds: number): number {
  return Math.max(READINGS_SECONDS, Math.ceil(seconds / 240 / READINGS_SECONDS) * READINGS_SECONDS);
}

/** Each step from `start` to `end`, in seconds. */
export function timesOf({
  start,
  end,
  step,
}: {
  start: number;
  end: number;
  step: number;
}): readonly number[] {
  return Array.from({ length: Math.round((end - start) / step) + 1 }, (_, index) => start + index * step);
}

/** Values at the times, null where a series has none or none that can be drawn. */
export function alignTo(
  times: readonly number[],
  points: readonly (readonly [t: number, v: number])[],
): readonly (number | null)[] {
  const byTime = new Map(points.map(([t, v]) => [Math.round(t), v]));
  return times.map((time) => {
    const value = byTime.get(time);
    return value === undefined || !Number.isFinite(value) ? null : value;
  });
}
