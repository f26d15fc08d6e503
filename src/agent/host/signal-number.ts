import { constants } from 'node:os';

// Source: signal(7); Go's moby/sys/signal, by whose names runtimes and Kubernetes know the real-time ones.
const [RTMIN, RTMAX] = [34, 64];
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ...Object.entries(constants.signals),
  ['SIGCLD', constants.signals.SIGCHLD],
  ['SIGRTMIN', RTMIN],
  ['SIGRTMAX', RTMAX],
  ...Array.from({ length: 15 }, (_, step) => [`SIGRTMIN+${step + 1}`, RTMIN + step + 1] as const),
  ...Array.from({ length: 14 }, (_, step) => [`SIGRTMAX-${step + 1}`, RTMAX - step - 1] as const),
]);
const NAMES: ReadonlyMap<number, string> = new Map(
  // The first name of a number is its usual one.
  [...NUMBERS].reverse().map(([name, number]) => [number, name]),
);

/** The kernel's number of `SIGTERM`, `SIGRTMIN+3`; undefined: this kernel has no such signal. */
export const signalNumber = (name: string): number | undefined => NUMBERS.get(name);

export const nameOfSignal = (number: number): string | undefined => NAMES.get(number);
