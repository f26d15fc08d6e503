import { createStore } from '../../src/collector/tsdb/store.ts';
import { systemClock } from '../../src/util/clock.ts';

/** Opens a store in a process of its own and says what that took: `open-store.ts FILE`, one line of JSON. */
export interface Opened {
  readonly series: number;
  readonly wallMs: number;
  readonly cpuUs: number;
  readonly residentBytes: number;
}

const path = process.argv[2]!;
const empty = process.memoryUsage.rss();
const [began, before] = [performance.now(), process.cpuUsage()];
const store = createStore({ path, clock: systemClock, limits: { activeSeries: 2_000_000 } });
const { user, system } = process.cpuUsage(before);
const opened: Opened = {
  series: store.stats().activeSeries,
  wallMs: performance.now() - began,
  cpuUs: user + system,
  residentBytes: process.memoryUsage.rss() - empty,
};
await store.close();
console.log(JSON.stringify(opened));
