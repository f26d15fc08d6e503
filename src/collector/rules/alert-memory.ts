import { z } from 'zod';
import { labelsKey, toLabels } from '../../model/labels.ts';
import type { RuleGroup } from '../../model/rule-group.ts';
import type { KeyValue } from '../storage/storage.ts';
import { type ActiveAlert, type ActiveAlerts, resumeAlerts } from './active-alerts.ts';

const PREFIX = 'rules/alerts/';

const label = z.tuple([z.string(), z.string()]).readonly();
const savedSchema = z.object({
  savedAt: z.number(),
  alerts: z.array(
    z.object({
      labels: z.array(label),
      annotations: z.array(label),
      state: z.enum(['pending', 'firing', 'resolved']),
      // A text, because JSON has no NaN and no infinity.
      value: z.string(),
      activeAt: z.number(),
      firedAt: z.number().optional(),
      resolvedAt: z.number().optional(),
      keepFiringSince: z.number().optional(),
      unknownSince: z.number().optional(),
    }),
  ),
});

/** Where the alerts of one rule are kept over a restart. Neither the file's folder nor the rule's place matter. */
export function alertMemoryKey(group: RuleGroup, alert: string, ordinal: number): string {
  const file = group.file.slice(group.file.lastIndexOf('/') + 1);
  return `${PREFIX}${JSON.stringify([file, group.name, alert, ordinal])}`;
}

/** A pending alert's age must survive a crash, not only a stop: it is saved again so often. */
const REFRESH_MS = 15_000;

/** The durable memory of one rule's alerts. Writes only when something changed, or a pending alert grew older. */
export interface AlertMemory {
  load(nowMs: number): ActiveAlerts;
  save(alerts: ActiveAlerts, atMs: number): Promise<void>;
}

export function createAlertMemory(keyValue: KeyValue, key: string): AlertMemory {
  let saved = '';
  let savedAt = 0;
  return {
    load(nowMs) {
      const parsed = savedSchema.safeParse(keyValue.get(key));
      if (!parsed.success) return new Map();
      const alerts = parsed.data.alerts.map(toActiveAlert);
      saved = essence(alerts);
      savedAt = parsed.data.savedAt;
      return new Map(resumeAlerts(alerts, savedAt, nowMs).map((alert) => [labelsKey(alert.labels), alert]));
    },
    async save(alerts, atMs) {
      const now = essence(alerts.values());
      const pending = [...alerts.values()].some(({ state }) => state === 'pending');
      if (now === saved && !(pending && atMs - savedAt >= REFRESH_MS)) return;
      if (alerts.size === 0) await keyValue.delete(key);
      else await keyValue.set(key, { savedAt: atMs, alerts: [...alerts.values()].map(toSaved) });
      saved = now;
      savedAt = atMs;
    },
  };
}

/** Forgets the alerts of rules that are no more. */
export async function forgetOthers(keyValue: KeyValue, keys: ReadonlySet<string>): Promise<void> {
  for (const [key] of keyValue.entries(PREFIX)) if (!keys.has(key)) await keyValue.delete(key);
}

// What is worth a write: values and annotations change with every evaluation.
function essence(alerts: Iterable<ActiveAlert>): string {
  return JSON.stringify(
    [...alerts].map((alert) => [
      labelsKey(alert.labels),
      alert.state,
      alert.state === 'pending' ? 0 : alert.activeAt,
      alert.resolvedAt,
      alert.keepFiringSince,
      alert.unknownSince,
    ]),
  );
}

function toSaved(alert: ActiveAlert): z.input<typeof savedSchema>['alerts'][number] {
  return {
    ...alert,
    labels: alert.labels.map(([name, value]) => [name, value]),
    annotations: alert.annotations.map(([name, value]) => [name, value]),
    value: String(alert.value),
  };
}

function toActiveAlert(saved: z.output<typeof savedSchema>['alerts'][number]): ActiveAlert {
  const { firedAt, resolvedAt, keepFiringSince, unknownSince } = saved;
  return {
    labels: toLabels(saved.labels),
    annotations: toLabels(saved.annotations),
    state: saved.state,
    value: Number(saved.value),
    activeAt: saved.activeAt,
    ...(firedAt === undefined ? {} : { firedAt }),
    ...(resolvedAt === undefined ? {} : { resolvedAt }),
    ...(keepFiringSince === undefined ? {} : { keepFiringSince }),
    ...(unknownSince === undefined ? {} : { unknownSince }),
  };
}
