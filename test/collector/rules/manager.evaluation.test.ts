import { afterEach, expect, it } from 'vitest';
import { createBench, series } from './bench.ts';

let bench: ReturnType<typeof createBench>;
afterEach(() => bench.manager.stop());

const up = (value: number, instance = 'a') =>
  [series(`up{job="web", instance="${instance}"}`), value] as const;

const FILE = `
groups:
  - name: web
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: { team: shop }
      - record: job:up:double
        expr: job:up:sum * 2
`;

it('records what its expressions give, each rule after those it reads', async () => {
  bench = createBench({ 'web.yaml': FILE });
  await bench.push(up(1), up(1, 'b'));
  await bench.manager.start();
  expect(await bench.ask('job:up:sum')).toEqual(['{job="web", team="shop"} 2']);
  expect(await bench.ask('job:up:double')).toEqual(['{job="web", team="shop"} 4']);
});

it('is evaluated once every interval, always at the same place in it', async () => {
  bench = createBench({ 'web.yaml': FILE });
  await bench.push(up(1));
  await bench.manager.start();
  await bench.clock.advance(60_000);
  const times = async () => {
    const [found] = [
      ...bench.store
        .querier()
        .select([{ name: '__name__', op: '=', value: 'job:up:sum' }], 0, bench.clock.now()),
    ];
    const { t, length } = found!.samples(0, bench.clock.now());
    return [...t.slice(0, length)];
  };
  const [, ...onTime] = await times();
  expect(onTime).toHaveLength(4);
  expect(new Set(onTime.map((t) => t % 15_000)).size).toBe(1);
  const before = onTime[0]! % 15_000;
  await bench.restart();
  await bench.clock.advance(15_000);
  expect((await times()).at(-1)! % 15_000).toBe(before);
});

it('ends a series that its expression gives no more', async () => {
  bench = createBench({ 'g.yaml': 'groups: [{name: g, rules: [{record: r, expr: up == 1}]}]' });
  await bench.push(up(1), up(1, 'b'));
  await bench.manager.start();
  expect(await bench.ask('r')).toHaveLength(2);
  await bench.clock.advance(1000);
  await bench.push(up(0, 'b'));
  await bench.clock.advance(15_000);
  expect(await bench.ask('r')).toEqual(['{instance="a", job="web"} 1']);
});

it('asks about an earlier time when the group says so, and writes at that time', async () => {
  bench = createBench({ 'g.yaml': 'groups: [{name: g, query_offset: 1m, rules: [{record: r, expr: up}]}]' });
  await bench.push(up(7));
  await bench.clock.advance(50_000);
  await bench.manager.start();
  expect(await bench.ask('r')).toEqual([]);
  await bench.clock.advance(30_000);
  expect(await bench.ask('r')).toEqual(['{instance="a", job="web"} 7']);
});

it('writes nothing of a rule that gives more than the limit, and says so', async () => {
  bench = createBench({
    'g.yaml': 'groups: [{name: g, limit: 1, rules: [{record: r, expr: up}, {record: one, expr: sum(up)}]}]',
  });
  await bench.push(up(1), up(1, 'b'));
  await bench.manager.start();
  expect(await bench.ask('r')).toEqual([]);
  expect(await bench.ask('one')).toEqual(['{} 2']);
  const [first, second] = bench.manager.groups()[0]!.rules;
  expect(first).toMatchObject({
    health: 'err',
    lastError: expect.stringContaining('exceeded limit of 1 with 2 series'),
  });
  expect(second).toMatchObject({ health: 'ok' });
});

it('goes on with the other rules when one fails, and is well again when it is', async () => {
  bench = createBench({
    'g.yaml': `groups: [{name: g, rules: [
      {record: twice, expr: 'label_replace(up, "instance", "x", "", "")'}, {record: fine, expr: count(up)}]}]`,
  });
  await bench.push(up(1), up(1, 'b'));
  await bench.manager.start();
  expect(bench.manager.groups()[0]!.rules.map(({ health }) => health)).toEqual(['err', 'ok']);
  expect(await bench.ask('fine')).toEqual(['{} 2']);
  await bench.clock.advance(310_000);
  await bench.push(up(1));
  await bench.clock.advance(15_000);
  expect(bench.manager.groups()[0]!.rules.map(({ health }) => health)).toEqual(['ok', 'ok']);
});

it('counts evaluations that were due while one took too long, and writes the count', async () => {
  bench = createBench({ 'g.yaml': 'groups: [{name: slow, rules: [{record: r, expr: up}]}]' });
  await bench.push(up(1));
  await bench.manager.start();
  const missed = () => bench.ask('prometheus_rule_group_iterations_missed_total');
  expect(await missed()).toEqual(['{job="podvitals", rule_group="g.yaml;slow"} 0']);
  bench.slowDown(50_000);
  await bench.clock.advance(15_000);
  bench.slowDown(0);
  await bench.clock.advance(60_000);
  expect(bench.manager.groups()[0]!.missed).toBe(2);
  expect(await missed()).toEqual(['{job="podvitals", rule_group="g.yaml;slow"} 2']);
});

it('stops once and for all, however often it is told to', async () => {
  bench = createBench({ 'web.yaml': FILE });
  await bench.manager.start();
  await Promise.all([bench.manager.stop(), bench.manager.stop()]);
  bench.asked.length = 0;
  bench.manager.wake(new Set(['up']));
  await bench.clock.advance(60_000);
  expect(bench.asked).toEqual([]);
});

it('lets others have the thread while it records many series', async () => {
  bench = createBench({ 'g.yaml': 'groups: [{name: g, rules: [{record: r, expr: up}]}]' });
  await bench.push(...Array.from({ length: 5000 }, (_, i) => up(1, String(i))));
  let rounds = 0;
  let running = true;
  const count = () => {
    rounds += 1;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  await bench.manager.start();
  running = false;
  expect(await bench.ask('count(r)')).toEqual(['{} 5000']);
  // Every 500 series as they are named, and again as they are written.
  expect(rounds).toBeGreaterThan(16);
});
