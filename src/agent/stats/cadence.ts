// How often files are read, in ticks. What a second may change at a look (CPU, memory, pressure) every tick; the others
// more rarely: tables with a hundred columns, lists that the kernel has to walk, limits that hardly ever change.
const SLOW_TICKS = 5;
const RARE_TICKS = 15;

/** Which files are read now, besides those of every tick. */
export interface Due {
  /** Tables and lists: memory.stat, processes, descriptors, disks, interfaces; the pod's own cgroup. */
  readonly slow: boolean;
  /** Limits, sockets (found by a look at every descriptor) and TCP counters; only together with `slow`. */
  readonly rare: boolean;
}

export const EVERYTHING: Due = { slow: true, rare: true };
export const NOTHING_MORE: Due = { slow: false, rare: false };
const SLOW: Due = { slow: true, rare: false };

/**
 * Says what is due at each of a reader's ticks: everything at the first, and whenever `all` is asked for. Readers are
 * given different phases, so that their dear ticks do not coincide.
 */
export function createCadence(phase: number): (all: boolean) => Due {
  let tick = phase;
  let everything = true;
  return (all) => {
    const whole = all || everything;
    everything = false;
    tick += 1;
    if (whole || tick % RARE_TICKS === 0) return EVERYTHING;
    return tick % SLOW_TICKS === 0 ? SLOW : NOTHING_MORE;
  };
}
