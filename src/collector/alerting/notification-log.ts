import { z } from 'zod';
import type { KeyValue } from '../storage/storage.ts';
import type { LogEntry } from './notify-reason.ts';

const PREFIX = 'alerting/log/';
/** A group nobody was told about for so long is forgotten. Source: Alertmanager's --data.retention, 120h */
const RETENTION_MS = 120 * 3_600_000;

const entrySchema = z.object({
  atMs: z.number(),
  firing: z.array(z.string()),
  resolved: z.array(z.string()),
});

/** Who was told what: durable, so that a restart pages nobody twice. */
export interface NotificationLog {
  last(receiver: string, groupKey: string): LogEntry | undefined;
  write(receiver: string, groupKey: string, entry: LogEntry): Promise<void>;
  forgetOld(nowMs: number): Promise<void>;
}

export function createNotificationLog(keyValue: KeyValue): NotificationLog {
  const keyOf = (receiver: string, groupKey: string) => PREFIX + JSON.stringify([receiver, groupKey]);
  return {
    last(receiver, groupKey) {
      const parsed = entrySchema.safeParse(keyValue.get(keyOf(receiver, groupKey)));
      return parsed.success ? parsed.data : undefined;
    },
    write: (receiver, groupKey, entry) => keyValue.set(keyOf(receiver, groupKey), entry),
    async forgetOld(nowMs) {
      for (const [key, value] of keyValue.entries(PREFIX)) {
        const parsed = entrySchema.safeParse(value);
        if (!parsed.success || nowMs - parsed.data.atMs > RETENTION_MS) await keyValue.delete(key);
      }
    },
  };
}
