import { afterEach, describe, expect, it } from 'vitest';
import { labelValue } from '../../../src/model/labels.ts';
import { createBench, series } from './bench.ts';

let bench: ReturnType<typeof createBench>;
afterEach(() => bench.manager.stop());

const down = (value: number, pod = 'cart', at = '') =>
  [series(`down{namespace="shop", pod="${pod}"${at}}`), value] as const;

const alertFile = (more: string) => `
groups:
  - name: g
    rules:
      - alert: Down
        expr: down > 0
        ${more}
        labels: { severity: '{{ if gt $value 4.0 }}page{{ else }}ticket{{ end }}' }
        annotations: { summary: '{{ $labels.pod }} is down: {{ $value }}', gone: '' }
`;

const ALERT = '{alertname="Down", namespace="shop", pod="cart", severity="ticket"}';

describe('an alert', () => {
  it('fires at once when nothing says for how long, with its templates filled in', async () => {
    bench = createBench({ 'a.yaml': alertFile('') });
    await bench.push(down(1));
    await bench.manager.start();
    expect(bench.alerts()).toEqual([`firing ${ALERT}`]);
    const [alert] = bench.notified.at(-1)!;
    expect(alert!.annotations).toEqual([
      ['gone', ''],
      ['summary', 'cart is down: 1'],
    ]);
    expect(await bench.ask('ALERTS')).toEqual([
      '{alertname="Down", alertstate="firing", namespace="shop", pod="cart", severity="ticket"} 1',
    ]);
    expect(await bench.ask('ALERTS_FOR_STATE')).toEqual([`${ALERT} ${bench.clock.now() / 1000}`]);
  });

  it('is pending until it has held for long enough, and forgotten when it has not', async () => {
    bench = createBench({ 'a.yaml': alertFile('for: 1m') });
    await bench.push(down(1), down(1, 'web'));
    await bench.manager.start();
    expect(bench.alerts()).toHaveLength(2);
    expect(bench.notified.at(-1)).toEqual([]);
    await bench.clock.advance(45_000);
    await bench.push(down(1), down(0, 'web'));
    await bench.clock.advance(30_000);
    expect(bench.alerts()).toEqual([`firing ${ALERT}`]);
    expect(await bench.ask('ALERTS{alertstate="pending"}')).toEqual([]);
  });

  it('resolves when its condition ends, is told for 15 minutes more, and then forgotten', async () => {
    bench = createBench({ 'a.yaml': alertFile('') });
    await bench.push(down(1));
    await bench.manager.start();
    await bench.clock.advance(1000);
    await bench.push(down(0));
    await bench.clock.advance(15_000);
    expect(bench.alerts()).toEqual([`resolved ${ALERT}`]);
    expect(bench.notified.at(-1)!.map(({ state }) => state)).toEqual(['resolved']);
    expect(await bench.ask('ALERTS')).toEqual([]);
    await bench.clock.advance(16 * 60_000);
    expect(bench.alerts()).toEqual([]);
  });

  it('keeps firing for as long as it is told to', async () => {
    bench = createBench({ 'a.yaml': alertFile('keep_firing_for: 1m') });
    await bench.push(down(1));
    await bench.manager.start();
    await bench.clock.advance(1000);
    await bench.push(down(0));
    await bench.clock.advance(50_000);
    expect(bench.alerts()).toEqual([`firing ${ALERT}`]);
    await bench.clock.advance(30_000);
    expect(bench.alerts()).toEqual([`resolved ${ALERT}`]);
  });

  it('begins anew when it comes back after it was resolved', async () => {
    bench = createBench({ 'a.yaml': alertFile('') });
    await bench.push(down(1));
    await bench.manager.start();
    const first = bench.notified.at(-1)![0]!.activeAt;
    await bench.clock.advance(1000);
    await bench.push(down(0));
    await bench.clock.advance(15_000);
    await bench.push(down(2));
    await bench.clock.advance(15_000);
    expect(bench.alerts()).toEqual([`firing ${ALERT}`]);
    expect(bench.notified.at(-1)![0]!.activeAt).toBeGreaterThan(first);
  });

  it('carries the error as its text when a template fails', async () => {
    bench = createBench({
      'a.yaml': `groups: [{name: g, rules: [{alert: Down, expr: down > 0, annotations: {summary: '{{ humanize "many" }}'}}]}]`,
    });
    await bench.push(down(1));
    await bench.manager.start();
    expect(labelValue(bench.notified.at(-1)![0]!.annotations, 'summary')).toMatch(
      /^<error expanding template: Down: /,
    );
  });

  it('stays as it was while its rule cannot be evaluated', async () => {
    bench = createBench({
      'a.yaml': `groups: [{name: g, limit: 1, rules: [{alert: Down, expr: 'down > 0'}]}]`,
    });
    await bench.push(down(1));
    await bench.manager.start();
    await bench.clock.advance(1000);
    await bench.push(down(0), down(1, 'a'), down(1, 'b'));
    await bench.clock.advance(15_000);
    expect(bench.manager.groups()[0]!.rules[0]!.health).toBe('err');
    expect(bench.alerts()).toEqual(['firing {alertname="Down", namespace="shop", pod="cart"}']);
  });
});

describe('after a restart', () => {
  it('an alert that fired fires on, since the same time', async () => {
    bench = createBench({ 'a.yaml': alertFile('for: 1m') });
    await bench.push(down(1));
    await bench.manager.start();
    await bench.clock.advance(90_000);
    const before = bench.notified.at(-1)![0]!;
    await bench.manager.stop();
    await bench.clock.advance(60_000);
    await bench.restart();
    expect(bench.alerts()).toEqual([`firing ${ALERT}`]);
    expect(bench.notified.at(-1)![0]).toMatchObject({ activeAt: before.activeAt, firedAt: before.firedAt });
  });

  it('a pending alert waits for what was left: the time away counts neither way', async () => {
    bench = createBench({ 'a.yaml': alertFile('for: 2m') });
    await bench.push(down(1));
    await bench.manager.start();
    await bench.clock.advance(65_000);
    await bench.manager.stop();
    await bench.clock.advance(3 * 60_000);
    await bench.push(down(1));
    await bench.restart();
    expect(bench.alerts()).toEqual([`pending ${ALERT}`]);
    await bench.clock.advance(30_000);
    expect(bench.alerts()).toEqual([`pending ${ALERT}`]);
    await bench.clock.advance(60_000);
    expect(bench.alerts()).toEqual([`firing ${ALERT}`]);
  });

  it('a condition that ended meanwhile is told as resolved', async () => {
    bench = createBench({ 'a.yaml': alertFile('') });
    await bench.push(down(1));
    await bench.manager.start();
    await bench.manager.stop();
    await bench.clock.advance(1000);
    await bench.push(down(0));
    await bench.restart();
    expect(bench.notified.at(-1)!.map(({ state }) => state)).toEqual(['resolved']);
  });

  it('nothing is left of rules that are no more', async () => {
    bench = createBench({ 'a.yaml': alertFile('') });
    await bench.store.keyValue.set('rules/alerts/["a.yaml","gone","Gone",0]', { savedAt: 0, alerts: [] });
    await bench.push(down(1));
    await bench.manager.start();
    expect(bench.store.keyValue.entries('rules/alerts/').map(([key]) => key)).toEqual([
      'rules/alerts/["a.yaml","g","Down",0]',
    ]);
  });
});

describe('when an agent falls silent', () => {
  const agent = (node: string) => [series(`podvitals_agent_info{job="kubelet", node="${node}"}`), 1] as const;
  const pod = (name: string, node: string) =>
    [
      series(`kube_pod_info{job="kube-state-metrics", namespace="shop", pod="${name}", node="${node}"}`),
      1,
    ] as const;
  const workload = (name: string, node: string) =>
    [
      series(
        `podvitals_workload_desired_pods{namespace="shop", workload="${name}", instance="${node}:7639"}`,
      ),
      1,
    ] as const;
  const FILE = `
groups:
  - name: g
    rules:
      - alert: Down
        expr: down > 0
      - alert: WorkloadDown
        expr: workload_down > 0
`;

  it('the alerts of its pods and workloads are held as they were and marked unknown; those of others resolve', async () => {
    bench = createBench({ 'a.yaml': FILE });
    await bench.push(
      agent('alpha'),
      agent('beta'),
      pod('cart', 'alpha'),
      pod('web', 'beta'),
      workload('cart', 'alpha'),
    );
    await bench.push(down(1), down(1, 'web'), [
      series('workload_down{namespace="shop", workload="cart"}'),
      1,
    ]);
    await bench.manager.start();
    expect(bench.alerts()).toHaveLength(3);
    // Ten minutes later no sample is fresh enough to be seen; only beta has been heard from.
    for (let minute = 0; minute < 10; minute += 1) {
      await bench.clock.advance(60_000);
      await bench.push(agent('beta'));
    }
    expect(bench.alerts('Down')).toEqual([
      'firing {alertname="Down", namespace="shop", pod="cart"}',
      'resolved {alertname="Down", namespace="shop", pod="web"}',
    ]);
    expect(bench.alerts('WorkloadDown')).toEqual([
      'firing {alertname="WorkloadDown", namespace="shop", workload="cart"}',
    ]);
    const held = bench.notified.at(-1)!.find(({ labels }) => labelValue(labels, 'pod') === 'cart')!;
    expect(held.unknownSince).toBeGreaterThan(held.activeAt);
    expect(labelValue(held.annotations, 'unknown')).toBe('Held as it was: the agent on alpha is silent.');
    expect(await bench.ask('ALERTS{pod="cart"}')).toHaveLength(1);
  });

  it('they are known again once it speaks', async () => {
    bench = createBench({ 'a.yaml': FILE });
    await bench.push(agent('alpha'), pod('cart', 'alpha'), pod('web', 'alpha'));
    await bench.push(down(1), down(1, 'web'));
    await bench.manager.start();
    await bench.clock.advance(10 * 60_000);
    expect(bench.alerts().map((alert) => alert.split(' ')[0])).toEqual(['firing', 'firing']);
    await bench.restart();
    await bench.push(agent('alpha'), down(1), down(0, 'web'));
    await bench.clock.advance(15_000);
    expect(bench.alerts()).toEqual([
      'firing {alertname="Down", namespace="shop", pod="cart"}',
      'resolved {alertname="Down", namespace="shop", pod="web"}',
    ]);
    expect(bench.notified.at(-1)!.map(({ unknownSince }) => unknownSince)).toEqual([undefined, undefined]);
    expect(bench.notified.at(-1)!.flatMap(({ annotations }) => annotations)).toEqual([]);
  });
});
