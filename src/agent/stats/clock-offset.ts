import type { Clock } from '../../util/clock.ts';
import { runCommand } from '../host/command.ts';

/** How far the node's clock is from the true time, by whoever keeps it here. */
export interface ClockOffset {
  /** Once a second: asks when it is due. */
  look(): void;
  /** Positive: ahead. Undefined: nobody keeps the time here, or has not yet compared it. */
  seconds(): number | undefined;
}

export interface ClockOffsetOptions {
  readonly clock: Clock;
  /** Paths; absent where not installed. */
  readonly chronyc: string | undefined;
  readonly timedatectl: string | undefined;
  readonly run?: (path: string, args: readonly string[]) => Promise<string>;
}

const INTERVAL_MS = 60_000;

export function createClockOffset(options: ClockOffsetOptions): ClockOffset {
  const { clock, chronyc, timedatectl, run = runCommand } = options;
  let offset: number | undefined;
  let dueAt = 0;
  const ways: readonly (() => Promise<number | undefined>)[] = [
    async () => (chronyc === undefined ? undefined : parseTracking(await run(chronyc, ['-c', 'tracking']))),
    async () =>
      timedatectl === undefined ? undefined : parseTimesync(await run(timedatectl, ['timesync-status'])),
  ];
  const measure = async () => {
    for (const way of ways) {
      // Installed and not running is as good as not there.
      const found = await way().catch(() => undefined);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    look() {
      if (clock.monotonic() < dueAt) return;
      dueAt = clock.monotonic() + INTERVAL_MS;
      void measure().then((found) => {
        offset = found;
      });
    },
    seconds: () => offset,
  };
}

/**
 * `chronyc -c tracking`: reference, name, stratum, time, system time's offset, … Positive means the clock is slow of NTP.
 * Without a reference there is no offset. Source: chronyc(1), tracking
 */
export function parseTracking(csv: string): number | undefined {
  const fields = csv.trim().split(',');
  if (fields.length < 14 || fields.at(-1) === 'Not synchronised') return undefined;
  const slow = Number(fields[4]);
  return Number.isFinite(slow) ? -slow : undefined;
}

const UNITS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400 };

/** `       Offset: -1.5ms` of systemd-timesyncd: what is to be added to the clock. Source: systemd timedatectl.c */
export function parseTimesync(text: string): number | undefined {
  const words = /^\s*Offset: ([+-]?)(.{1,60})$/m.exec(text);
  if (!words) return undefined;
  const parts = [...words[2]!.matchAll(/(\d{1,12}(?:\.\d{1,9})?)(us|ms|min|s|h|d)\b/g)];
  if (parts.length === 0) return undefined;
  const seconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0);
  return words[1] === '-' ? seconds : -seconds;
}
