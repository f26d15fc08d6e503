import { afterEach, expect, it } from 'vitest';
import { createBench, series } from './bench.ts';

let bench: ReturnType<typeof createBench>;
afterEach(async () => {
  const stopped = bench.manager.stop();
  // Queries that were slowed down wait on this clock.
  await bench.clock.advance(60_000);
  await stopped;
});

const deaths = (value: number) => [series('deaths_total{pod="cart"}'), value] as const;

// The alerts come first in the file: order is found, not given.
const FILE = `
groups:
  - name: alerts
    rules:
      - alert: CrashLoop
        expr: pod:deaths:sum >= 3
  - name: recordings
    rules:
      - record: pod:deaths:sum
        expr: sum by (pod) (deaths_total)
  - name: slow
    interval: 1m
    rules:
      - record: pod:deaths:slow
        expr: max by (pod) (deaths_total)
  - name: others
    rules:
      - record: pod:memory:sum
        expr: sum by (pod) (memory_bytes)
`;

const evaluated = (name: string) => bench.asked.filter((expr) => expr.includes(name)).length;

async function started() {
  bench = createBench({ 'a.yaml': FILE }, { evaluationIntervalMs: 3_600_000 });
  await bench.push(deaths(0));
  await bench.manager.start();
  await bench.clock.advance(2000);
  bench.asked.length = 0;
}

it('a commit that touches a series makes the alert that reads it fire without waiting for its time', async () => {
  await started();
  const { metricNames } = await bench.push(deaths(3));
  bench.manager.wake(metricNames);
  await bench.clock.advance(1);
  expect(bench.alerts()).toEqual(['firing {alertname="CrashLoop", pod="cart"}']);
});

it('only groups that read what was touched are evaluated, those upstream first, slow ones in their own time', async () => {
  await started();
  bench.manager.wake(new Set(['deaths_total']));
  await bench.clock.advance(1);
  expect(bench.asked).toEqual(['sum by (pod) (deaths_total)', 'pod:deaths:sum >= 3']);
  bench.manager.wake(new Set(['nothing_we_read']));
  await bench.clock.advance(100);
  expect(bench.asked).toHaveLength(2);
});

it('many commits in a second are two evaluations: the first at once, the last is not lost', async () => {
  await started();
  for (let death = 1; death <= 8; death += 1) {
    await bench.push(deaths(death / 4));
    bench.manager.wake(new Set(['deaths_total']));
    await bench.clock.advance(100);
  }
  await bench.push(deaths(3));
  bench.manager.wake(new Set(['deaths_total']));
  expect(evaluated('sum by (pod) (deaths_total)')).toBe(1);
  expect(bench.alerts()).toEqual([]);
  await bench.clock.advance(250);
  expect(evaluated('sum by (pod) (deaths_total)')).toBe(2);
  expect(bench.alerts()).toEqual(['firing {alertname="CrashLoop", pod="cart"}']);
  await bench.clock.advance(10_000);
  expect(evaluated('sum by (pod) (deaths_total)')).toBe(2);
});

it('a group that takes long is woken less often: a tenth of the time at most', async () => {
  await started();
  bench.slowDown(500);
  for (let second = 0; second < 60; second += 1) {
    bench.manager.wake(new Set(['memory_bytes']));
    await bench.clock.advance(1000);
  }
  expect(evaluated('memory_bytes')).toBeLessThanOrEqual(60 / 5 + 1);
  expect(evaluated('memory_bytes')).toBeGreaterThan(60 / 5 - 3);
});

it('what was touched before the start is evaluated with it', async () => {
  bench = createBench({ 'a.yaml': FILE }, { evaluationIntervalMs: 3_600_000 });
  bench.manager.wake(new Set(['deaths_total']));
  await bench.push(deaths(4));
  await bench.manager.start();
  expect(bench.alerts()).toEqual(['firing {alertname="CrashLoop", pod="cart"}']);
});

it('what was committed last is judged before the end, so that no alert is left over from what has ended', async () => {
  await started();
  bench.manager.wake((await bench.push(deaths(3))).metricNames);
  await bench.clock.advance(1);
  expect(bench.alerts()).toHaveLength(1);
  await bench.clock.advance(100);
  bench.manager.wake((await bench.end(series('deaths_total{pod="cart"}'))).metricNames);
  await bench.manager.stop();
  expect(bench.notified.at(-1)).toMatchObject([{ state: 'resolved' }]);
  expect(await bench.ask('pod:deaths:sum')).toEqual([]);
});
