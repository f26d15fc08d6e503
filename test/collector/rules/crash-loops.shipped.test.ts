import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { labelValue } from '../../../src/model/labels.ts';
import { createBench, series } from './bench.ts';

const folder = resolve(import.meta.dirname, '../../../rules');
const files = ['podvitals-alerts.yaml', 'podvitals-recording.yaml', 'slo-shop.yaml'];
const RULES = Object.fromEntries(
  files.map((file) => [`rules/${file}`, readFileSync(join(folder, file), 'utf8')]),
);

let bench: ReturnType<typeof createBench>;
afterEach(() => bench.manager.stop());

const own = (type: string) =>
  `namespace="shop", pod="cart-1", uid="u1", container="cart", container_type="${type}"`;
const deaths = (type: string, count: number) =>
  [
    series(
      `podvitals_container_deaths_total{job="kubelet", ${own(type)}, reason="Error", requested="false"}`,
    ),
    count,
  ] as const;

/** What an agent sends with every tick. */
function vitals(createdSeconds: number) {
  const at = 'job="kube-state-metrics", namespace="shop", pod="cart-1", uid="u1"';
  return [
    [series('podvitals_agent_info{job="kubelet", node="alpha"}'), 1],
    [series(`kube_pod_info{${at}, node="alpha"}`), 1],
    [series(`kube_pod_created{${at}}`), createdSeconds],
    [series(`kube_pod_owner{${at}, owner_kind="ReplicaSet", owner_name="cart-5d9"}`), 1],
    [
      series(
        'kube_replicaset_owner{job="kube-state-metrics", namespace="shop", replicaset="cart-5d9", owner_kind="Deployment", owner_name="cart"}',
      ),
      1,
    ],
    [series(`kube_pod_restart_policy{${at}, type="Always"}`), 1],
  ] as const;
}

const firing = () =>
  bench
    .alerts('PodCrashLooping')
    .filter((alert) => alert.startsWith('firing'))
    .map((alert) => alert.slice(alert.indexOf('{')));

describe('the shipped rules, on our own engine and store', () => {
  it.each([
    // First restart at once, then after 10 s: when the deaths are, in seconds after the creation.
    ['lives of a second', 'container', [1, 2, 13]],
    ['lives of a minute', 'container', [60, 120, 190]],
    ['lives of five minutes', 'container', [300, 600, 910]],
    ['an init container', 'init_container', [5, 10, 25]],
  ])('%s: the third death makes the alert fire within a second, the second does not', async (_, type, at) => {
    bench = createBench(RULES);
    await bench.manager.start();
    const createdSeconds = bench.clock.now() / 1000;
    await bench.push(...vitals(createdSeconds), deaths(type, 0));
    bench.manager.wake(new Set(['kube_pod_owner', 'kube_pod_created', 'podvitals_container_deaths_total']));
    let count = 0;
    for (let second = 1; second <= at[2]!; second += 1) {
      await bench.clock.advance(1000);
      if (second % 15 === 0) await bench.push(...vitals(createdSeconds), deaths(type, count));
      if (!at.includes(second)) continue;
      count += 1;
      await bench.clock.advance(1);
      const { metricNames } = await bench.push(deaths(type, count));
      bench.manager.wake(metricNames);
      await bench.clock.advance(997);
      expect(firing()).toHaveLength(count === 3 ? 1 : 0);
      await bench.clock.advance(2);
    }
    expect(firing()).toEqual([
      `{alertname="PodCrashLooping", container="cart", container_type="${type}", namespace="shop", pod="cart-1", severity="ticket", uid="u1", workload="cart", workload_type="deployment"}`,
    ]);
    const alert = bench.notified
      .flat()
      .findLast(({ labels }) => labelValue(labels, 'alertname') === 'PodCrashLooping')!;
    expect(Object.fromEntries(alert.annotations)).toEqual({
      summary: 'Container cart of shop/cart-1 is crash looping.',
      description: '3 deaths within 30 minutes that nobody asked for.',
      runbook_url:
        'http://podvitals.example/runbooks/PodCrashLooping?namespace=shop&pod=cart-1&container=cart',
    });
  });

  it('every rule can be evaluated, and Watchdog fires from the first evaluation on', async () => {
    bench = createBench(RULES);
    await bench.push(...vitals(bench.clock.now() / 1000), deaths('container', 1));
    await bench.manager.start();
    const rules = bench.manager.groups().flatMap((group) => group.rules);
    expect(
      rules.filter(({ health }) => health !== 'ok').map(({ rule, lastError }) => [rule, lastError]),
    ).toEqual([]);
    expect(bench.alerts('Watchdog')).toEqual(['firing {alertname="Watchdog", severity="none"}']);
  });
});
