import { flatKeyed } from './flat-keyed.ts';

/** The modes of the `cpu` line of /proc/stat, in its order. Source: proc(5) */
export const CPU_MODES = [
  'user',
  'nice',
  'system',
  'idle',
  'iowait',
  'irq',
  'softirq',
  'steal',
  'guest',
  'guest_nice',
] as const;

const CLOCK_TICKS_PER_SECOND = 100;

/** CPU time of the whole machine by mode, in seconds, and the number of cores, from the text of /proc/stat. */
export function parseProcStat(text: string): {
  readonly secondsByMode: Readonly<Record<string, number>>;
  readonly cores: number;
} {
  const [first = ''] = text.split('\n', 1);
  const ticks = first.split(/\s+/).slice(1);
  const modes = CPU_MODES.slice(0, ticks.length);
  return {
    secondsByMode: Object.fromEntries(
      modes.map((mode, i) => [mode, Number(ticks[i]) / CLOCK_TICKS_PER_SECOND]),
    ),
    cores: text.match(/^cpu\d+ /gm)?.length ?? 0,
  };
}

/** /proc/meminfo in kibibytes: total, available, free, cached, buffers, slab. */
export const parseMeminfo = flatKeyed(['MemTotal', 'MemAvailable', 'MemFree', 'Cached', 'Buffers', 'Slab']);

/**
 * /proc/vmstat: how many processes the out-of-memory killer has ended on this host since it was started, whosever. A kill
 * is counted here before it is in its cgroup. Source: kernel mm/oom_kill.c, __oom_kill_process
 */
export const parseHostOomKills = flatKeyed(['oom_kill']);
