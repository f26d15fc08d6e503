import { getJson } from '../request.ts';

/** An incident as `/api/incidents` has it. */
export interface ShownIncident {
  readonly id: string;
  readonly state: 'open' | 'quiet' | 'closed';
  readonly subject: {
    readonly namespace?: string;
    readonly workload?: string;
    readonly node?: string;
    readonly slo?: string;
  };
  readonly cause: string;
  readonly failureMode: string | null;
  readonly confidence: string;
  readonly summary: string;
  readonly severity: 'page' | 'ticket';
  /** RFC 3339. */
  readonly from: string;
  readonly to: string | null;
  readonly pods: readonly string[];
  readonly lives: readonly string[];
  readonly alerts: readonly { readonly name: string }[];
  readonly budgetSpent?: readonly {
    readonly slo: string;
    readonly ratio: number;
    readonly recordedMs?: number;
  }[];
}

export async function askIncidents(signal: AbortSignal): Promise<readonly ShownIncident[]> {
  return (await getJson<{ items: readonly ShownIncident[] }>('/api/incidents?limit=200', { signal })).items;
}

export function subjectOf({ subject: { namespace, workload, node, slo } }: ShownIncident): string {
  if (workload !== undefined) return `${namespace}/${workload}`;
  return slo ?? node ?? namespace ?? 'podvitals';
}
