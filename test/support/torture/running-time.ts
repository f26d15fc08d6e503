/**
 * Time that runs `speed` times as fast as the machine's, and only while someone lives in it: minutes of a store's life
 * pass in a second, and no time passes while there is no process to see it.
 */
export interface RunningTime {
  /** Integer milliseconds. */
  now(): number;
  run(): void;
  stop(): void;
}

export function createRunningTime(startMs: number, speed: number): RunningTime {
  let before = startMs;
  let since: number | undefined;
  const now = () => Math.floor(since === undefined ? before : before + (performance.now() - since) * speed);
  return {
    now,
    run() {
      since ??= performance.now();
    },
    stop() {
      before = now();
      since = undefined;
    },
  };
}
