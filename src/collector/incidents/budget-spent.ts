import type { Incident } from '../../model/incident.ts';
import { labelValue } from '../../model/labels.ts';
import type { Query } from '../../model/query-result.ts';

const DAY_MS = 86_400_000;
const LEFT = 'slo:period_error_budget_remaining:ratio';

/**
 * What an incident has cost so far: by how much less is left of the budgets of its workload than when it began, as a
 * share of the whole budget. Of a store that is younger than a day it says how young: a window that is hardly begun has a
 * small budget, and any trouble spends much of it. A budget of which nothing was recorded in the day before was whole. Empty where no objective
 * speaks of the workload.
 */
export async function budgetSpent(
  { subject, from, to }: Incident,
  nowMs: number,
  query: Query,
): Promise<Pick<Incident, 'budgetSpent'>> {
  const { namespace, workload } = subject;
  if (namespace === undefined || workload === undefined) return {};
  const selector = `${LEFT}{namespace=${JSON.stringify(namespace)},workload=${JSON.stringify(workload)}}`;
  const before = await left(query, `last_over_time(${selector}[1d])`, from);
  const end = to ?? nowMs;
  const after = await left(query, selector, end);
  // The oldest sample of the last day, to ten minutes.
  const began = await left(query, `min_over_time(timestamp(${selector})[1d:10m])`, end);
  const spent = [...after]
    .map(([slo, now]) => ({ slo, ratio: Math.max(0, (before.get(slo) ?? 1) - now) }))
    .map(({ slo, ratio }) => ({
      slo,
      ratio: Math.round(ratio * 1e4) / 1e4,
      ...youth(end - (began.get(slo) ?? end / 1000) * 1000),
    }));
  return spent.length === 0 ? {} : { budgetSpent: spent };
}

const youth = (recordedMs: number) => (recordedMs < DAY_MS - 1_200_000 ? { recordedMs } : {});

async function left(query: Query, selector: string, atMs: number): Promise<ReadonlyMap<string, number>> {
  try {
    const { value } = await query(`min by (slo) (${selector})`, atMs);
    if (value.type !== 'vector') return new Map();
    return new Map(value.samples.map(({ labels, v }) => [labelValue(labels, 'slo'), v] as const));
  } catch {
    // Budgets are an addition: an incident is kept without them while queries cannot be answered.
    return new Map();
  }
}
