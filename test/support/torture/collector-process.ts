import { flushCompileCache } from 'node:module';
import { createApp } from '../../../src/app/app.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { type Clock, systemClock } from '../../../src/util/clock.ts';
import { messageOf } from '../../../src/util/coded-error.ts';

/**
 * A collector to be killed: loads all it needs, says so, and starts when it is told the time and how fast it runs.
 * Its timers run as fast, so that maintenance and evaluation come as often as in that time.
 */
export interface StartOrder {
  readonly nowMs: number;
  readonly speed: number;
}
export type CollectorNews = 'loaded' | 'ready' | { readonly failed: string };

const tell = (news: CollectorNews) => process.send?.(news);

process.once('message', async ({ nowMs, speed }: StartOrder) => {
  const began = performance.now();
  const clock: Clock = {
    now: () => Math.floor(nowMs + (performance.now() - began) * speed),
    monotonic: () => performance.now() * speed,
    setTimer: (delayMs, run, options) => systemClock.setTimer(delayMs / speed, run, options),
  };
  const app = createApp({
    halves: 'collector',
    config: loadConfig({ config: process.argv[2]! }),
    env: { PODVITALS_LOG_LEVEL: 'warn' },
    say: () => {},
    clock,
  });
  process.once('SIGTERM', () => void app.stop().then(() => process.exit(0)));
  try {
    await app.start();
    tell('ready');
  } catch (error) {
    tell({ failed: messageOf(error) });
    process.exit(1);
  }
});
// Nobody is left to kill it.
process.once('disconnect', () => process.exit(0));
// What is killed writes no cache at its end.
flushCompileCache();
tell('loaded');
