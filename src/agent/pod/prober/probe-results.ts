/** The run of equal results a probe is in, and the result that counts. */
export interface ProbeResults {
  readonly last?: boolean;
  readonly inARow: number;
  /** What thresholds have made of the results so far; absent: nothing yet. */
  readonly verdict?: boolean;
}

export interface Thresholds {
  readonly success: number;
  readonly failure: number;
}

/**
 * The results after one more: a verdict changes only when as many equal results came in a row as its threshold asks.
 * Source: kubernetes/pkg/kubelet/prober/worker.go, doProbe
 */
export function addResult(results: ProbeResults, ok: boolean, thresholds: Thresholds): ProbeResults {
  const inARow = results.last === ok ? results.inARow + 1 : 1;
  const reached = inARow >= (ok ? thresholds.success : thresholds.failure);
  const verdict = reached ? ok : results.verdict;
  return { last: ok, inARow, ...(verdict === undefined ? {} : { verdict }) };
}
