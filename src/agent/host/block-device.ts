import { readFileSync } from 'node:fs';
import type { Clock } from '../../util/clock.ts';

/** The name of a block device, `/dev/sda`; undefined when the kernel does not know it. */
export type DeviceName = (major: number, minor: number) => string | undefined;

const REREAD_AFTER_MS = 60_000;

/** Names by `major:minor` from the text of /proc/partitions: `254  0  268435456 vda`. Source: proc(5) */
export function parsePartitions(text: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s+(\d+)\s+\d+\s+(\S+)$/.exec(line);
    // A driver's own folder below /dev is written with an exclamation mark: `cciss!c0d0`.
    if (match) names.set(`${match[1]}:${match[2]}`, `/dev/${match[3]!.replaceAll('!', '/')}`);
  }
  return names;
}

/** Looks device names up in /proc/partitions, which is read again when a number is unknown, at most once a minute. */
export function createDeviceNames(
  clock: Clock,
  read: () => string = () => readFileSync('/proc/partitions', 'utf8'),
): DeviceName {
  let names: ReadonlyMap<string, string> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  return (major, minor) => {
    const key = `${major}:${minor}`;
    if (!names.has(key) && clock.monotonic() - readAt >= REREAD_AFTER_MS) {
      readAt = clock.monotonic();
      try {
        names = parsePartitions(read());
      } catch {
        // Without /proc/partitions no device has a name, and its numbers are left out.
      }
    }
    return names.get(key);
  };
}
