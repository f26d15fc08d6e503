import { z } from 'zod';
import type { Incident } from '../../model/incident.ts';
import type { KeyValue } from '../storage/storage.ts';

const PREFIX = 'incidents/';
/** Of closed ones; the oldest are forgotten first. */
const MOST_INCIDENTS = 10_000;
const RETENTION_MS = 400 * 86_400_000;

// Enough to tell one of ours from what somebody else may have left there.
const incidentSchema = z.looseObject({
  id: z.string(),
  from: z.number(),
  detectedAt: z.number(),
  cause: z.string(),
  alerts: z.array(z.looseObject({ name: z.string() })),
  lives: z.array(z.string()),
  pods: z.array(z.string()),
});

/** Every incident of the last 400 days, at most 10,000, over restarts; longer than samples and events are kept. */
export interface Ledger {
  /** Newest first. */
  all(): readonly Incident[];
  open(): readonly Incident[];
  get(id: string): Incident | undefined;
  /** Resolves once they are durable; only then are they seen. */
  write(incidents: readonly Incident[], nowMs: number): Promise<void>;
}

export function createLedger(keyValue: KeyValue): Ledger {
  const known = new Map<string, Incident>();
  for (const [, value] of keyValue.entries(PREFIX)) {
    const parsed = incidentSchema.safeParse(value);
    if (parsed.success) known.set(parsed.data.id, value as Incident);
  }
  const newestFirst = () => [...known.values()].sort((a, b) => b.from - a.from || (a.id < b.id ? -1 : 1));

  const forgetOld = async (nowMs: number) => {
    const closed = newestFirst().filter(({ to }) => to !== undefined);
    const gone = closed.filter(({ to }, i) => i >= MOST_INCIDENTS || nowMs - to! > RETENTION_MS);
    for (const { id } of gone) {
      await keyValue.delete(PREFIX + id);
      known.delete(id);
    }
  };

  return {
    all: newestFirst,
    open: () => [...known.values()].filter(({ to }) => to === undefined),
    get: (id) => known.get(id),
    async write(incidents, nowMs) {
      await Promise.all(
        incidents.map(async (incident) => {
          await keyValue.set(PREFIX + incident.id, incident);
          known.set(incident.id, incident);
        }),
      );
      await forgetOld(nowMs);
    },
  };
}
