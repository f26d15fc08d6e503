// How often files are read, in ticks. The cheap ones (a microsecond or two) every tick; the dear ones more rarely: lists
// that the kernel has to walk, and tables with a hundred columns.
const MEMORY_STAT_TICKS = 2;
const SLOW_TICKS = 5;
const SOCKET_TICKS = 15;

/** Which dear files are read now. */
export interface Due {
  /** memory.stat. */
  readonly stat: boolean;
  /** Lists and tables: processes, descriptors, disks, network, quota. */
  readonly slow: boolean;
  /** Sockets, which are found by a look at every descriptor; only together with `slow`. */
  readonly sockets: boolean;
}

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
    return {
      stat: whole || tick % MEMORY_STAT_TICKS === 0,
      slow: whole || tick % SLOW_TICKS === 0,
      sockets: whole || tick % SOCKET_TICKS === 0,
    };
  };
}
