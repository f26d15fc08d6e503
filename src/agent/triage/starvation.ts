import type { VitalFrame } from '../../model/life.ts';

const STARVED_RATIO = 0.5;
// Below this a runtime such as Node or Java cannot even start in good time.
const TINY_CORES = 0.1;

/**
 * Whether a CPU limit is why nothing is answered in time. Throttling alone is not enough: a program in an endless loop
 * is throttled, too. One that is only starved still answers now and then, or has a limit nobody could live with.
 */
export function isStarved(
  throttledRatio: number | undefined,
  limitCores: number | undefined,
  answersAtAll: boolean,
): boolean {
  if (throttledRatio === undefined || throttledRatio < STARVED_RATIO) return false;
  return answersAtAll || (limitCores !== undefined && limitCores <= TINY_CORES);
}

const CROWDED_RATIO = 0.6;
const FREE_RATIO = 0.05;
const FRAMES = 15;

/** The mean share of its last seconds in which something in it waited for a CPU; absent: not known. */
export function meanStall(vitals: readonly VitalFrame[]): number | undefined {
  const stalls = vitals.slice(-FRAMES).flatMap(({ cpuStallRatio }) => cpuStallRatio ?? []);
  return stalls.length < 3 ? undefined : stalls.reduce((sum, stall) => sum + stall, 0) / stalls.length;
}

/** Others had the CPU: it waited most of the time and its own limit is not why. */
export const isCrowded = (stall: number | undefined, throttledRatio: number | undefined): boolean =>
  stall !== undefined && stall >= CROWDED_RATIO && (throttledRatio ?? 0) <= FREE_RATIO;
