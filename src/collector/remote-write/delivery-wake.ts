import type { Clock } from '../../util/clock.ts';

export interface DeliveryWakeOptions {
  readonly wake: (metricNames: ReadonlySet<string>) => void;
  readonly clock: Clock;
}

/**
 * Wakes rules that read from another server: not when samples are committed here, but when they are there. Only
 * samples that came from outside count; those that rules wrote would wake the rules that wrote them.
 */
export interface DeliveryWake {
  /** Samples from outside were committed here. */
  committed(metricNames: ReadonlySet<string>): void;
  /** The other server has samples of these names. */
  delivered(metricNames: ReadonlySet<string>): void;
}

/** VictoriaMetrics finds what it took about a second later; whoever asked at once asks again. */
const FOUND_LATE_MS = 2_000;
const MOST_NAMES = 20_000;

export function createDeliveryWake({ wake, clock }: DeliveryWakeOptions): DeliveryWake {
  const fromOutside = new Set<string>();
  let late: Set<string> | undefined;

  const wakeLate = () => {
    const names = late;
    late = undefined;
    if (names !== undefined) wake(names);
  };

  return {
    committed(metricNames) {
      if (fromOutside.size > MOST_NAMES) fromOutside.clear();
      for (const name of metricNames) fromOutside.add(name);
    },
    delivered(metricNames) {
      const names = new Set([...metricNames].filter((name) => fromOutside.has(name)));
      if (names.size === 0) return;
      wake(names);
      if (late === undefined) {
        late = names;
        clock.setTimer(FOUND_LATE_MS, wakeLate, { unref: true });
      } else for (const name of names) late.add(name);
    },
  };
}
