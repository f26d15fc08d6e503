import { flatKeyed, HASH_START, hashNext, hashOf, numberAt, type ParseNumbers } from './flat-keyed.ts';

/**
 * Statistics files of cgroups. The indices of each parser's output are those of its list of keys.
 * Sources: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/{memory,cpuacct,blkio-controller}.rst
 */

/** v2 cpu.stat; microseconds. Without the cpu controller (hybrid hosts) only the first three are there. */
export const parseCpuStatV2 = flatKeyed([
  'usage_usec',
  'user_usec',
  'system_usec',
  'nr_periods',
  'nr_throttled',
  'throttled_usec',
]);

/** v1 cpu.stat; nanoseconds. */
export const parseCpuStatV1 = flatKeyed(['nr_periods', 'nr_throttled', 'throttled_time']);

/** v1 cpuacct.stat; in clock ticks, 100 a second on every architecture Node runs on. */
export const parseCpuacctStat = flatKeyed(['user', 'system']);
export const CLOCK_TICKS_PER_SECOND = 100;

const MEMORY_KEYS_V2 = ['anon', 'file', 'file_mapped', 'inactive_file', 'kernel', 'pgfault', 'pgmajfault'];
const MEMORY_KEYS_V1 = [
  'total_rss',
  'total_cache',
  'total_mapped_file',
  'total_inactive_file',
  'total_swap',
  'total_pgfault',
  'total_pgmajfault',
];

/** memory.stat: anonymous, file cache, mapped, inactive file, kernel, page faults, major page faults. */
export const parseMemoryStatV2 = flatKeyed(MEMORY_KEYS_V2);
/** memory.stat: anonymous, file cache, mapped, inactive file, swap, page faults, major page faults. */
export const parseMemoryStatV1 = flatKeyed(MEMORY_KEYS_V1);

const memoryEvents = flatKeyed(['oom_kill', 'max', 'oom_group_kill']);
const events = new Float64Array(3);

/**
 * v2 memory.events: OOM kills, and how often the limit was hit. Where a kill takes the whole cgroup it is one kill, as
 * with `readOomKills`: the kernel counts each of its processes.
 */
export const parseMemoryEvents: ParseNumbers = (bytes, length, out) => {
  memoryEvents(bytes, length, events);
  const groupKills = events[2]!;
  out[0] = groupKills > 0 ? groupKills : events[0]!;
  out[1] = events[1]!;
};
/** v1 memory.oom_control. */
export const parseOomControl = flatKeyed(['oom_kill']);

/** The first number of cpu.max, `max 100000` or `20000 100000`; NaN where there is no quota. */
export const parseCpuMax: ParseNumbers = (bytes, length, out) => {
  out[0] = numberAt(bytes, 0, length);
};

/** v1 cpu.cfs_quota_us: NaN for -1, no quota. */
export const parseCfsQuota = parseCpuMax;

/** Receives what one device did; called once a line. */
export type OnDevice = (major: number, minor: number, key: DeviceKey, value: number) => void;
export type DeviceKey = 'readBytes' | 'writeBytes' | 'reads' | 'writes';

const IO_STAT_KEYS = new Map<number, DeviceKey>([
  [hashOf('rbytes'), 'readBytes'],
  [hashOf('wbytes'), 'writeBytes'],
  [hashOf('rios'), 'reads'],
  [hashOf('wios'), 'writes'],
]);

const SPACE = 0x20;
const NEWLINE = 0x0a;
const COLON = 0x3a;
const EQUALS = 0x3d;
const CAPITAL_R = 0x52;
const CAPITAL_W = 0x57;

/** v2 io.stat: `254:0 rbytes=12288000 wbytes=0 rios=3000 wios=0 dbytes=0 dios=0`. */
export function parseIoStat(bytes: Uint8Array, length: number, onDevice: OnDevice): void {
  forEachDevice(bytes, length, (major, minor, from, to) => {
    let hash = HASH_START;
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at]!;
      if (byte === SPACE) hash = HASH_START;
      else if (byte !== EQUALS) hash = hashNext(hash, byte);
      else {
        const key = IO_STAT_KEYS.get(hash);
        if (key !== undefined) onDevice(major, minor, key, numberAt(bytes, at + 1, to));
      }
    }
  });
}

/** v1 blkio.throttle.io_service_bytes_recursive (bytes) or …io_serviced_recursive: `254:0 Read 4096`, `Total 4096`. */
export function parseBlkio(
  bytes: Uint8Array,
  length: number,
  unit: 'bytes' | 'operations',
  onDevice: OnDevice,
): void {
  const read = unit === 'bytes' ? 'readBytes' : 'reads';
  const write = unit === 'bytes' ? 'writeBytes' : 'writes';
  forEachDevice(bytes, length, (major, minor, from, to) => {
    const key = bytes[from] === CAPITAL_R ? read : bytes[from] === CAPITAL_W ? write : undefined;
    const space = bytes.indexOf(SPACE, from);
    if (key !== undefined && space !== -1 && space < to) {
      onDevice(major, minor, key, numberAt(bytes, space + 1, to));
    }
  });
}

function forEachDevice(
  bytes: Uint8Array,
  length: number,
  visit: (major: number, minor: number, from: number, to: number) => void,
): void {
  let at = 0;
  while (at < length) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline === -1 || newline > length ? length : newline;
    const colon = bytes.indexOf(COLON, at);
    const space = bytes.indexOf(SPACE, at);
    if (colon !== -1 && space !== -1 && colon < space && space < end) {
      visit(numberAt(bytes, at, end), numberAt(bytes, colon + 1, end), space + 1, end);
    }
    at = end + 1;
  }
}
