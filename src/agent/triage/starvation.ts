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
