import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/model/verdict.ts';
import { notRoot } from '../support/parts.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from '../support/podvitals.ts';

interface PrometheusVector {
  readonly data: {
    readonly result: readonly {
      readonly metric: Record<string, string>;
      readonly value: readonly [number, string];
    }[];
  };
}
interface AlertsAnswer {
  readonly data: {
    readonly alerts: readonly {
      readonly labels: Record<string, string>;
      readonly annotations: Record<string, string>;
      readonly state: string;
    }[];
  };
}
interface WhyAnswer {
  readonly pod: { readonly namespace: string; readonly name: string };
  readonly verdict: Verdict;
}

// One shop for all: this is the road as a newcomer walks it, and starting it is most of the cost.
describe.skipIf(notRoot())('podvitals up examples/shop.yaml', () => {
  const dataDir = temporaryDataDir();
  let podvitals: Podvitals;

  beforeAll(async () => {
    podvitals = await startPodvitals({
      dataDir: dataDir.path,
      ports: await freePorts(),
      files: [resolve(import.meta.dirname, '../../examples/shop.yaml')],
    });
  }, 90_000);
  afterAll(async () => {
    await podvitals?.stop();
    dataDir.remove();
  }, 90_000);

  const firing = async (alert: string) => {
    const { data } = await podvitals.json<AlertsAnswer>('/api/v1/alerts');
    return data.alerts.find(
      (candidate) => candidate.labels.alertname === alert && candidate.state === 'firing',
    );
  };
  const query = async (expression: string) =>
    (await podvitals.json<PrometheusVector>(`/api/v1/query?query=${encodeURIComponent(expression)}`)).data
      .result;

  it('names its URL when it is ready', () => {
    expect(podvitals.output()).toContain(`podvitals is ready at ${podvitals.url}`);
  });

  it('fires PodCrashLooping for the cart, with a runbook link that resolves', async () => {
    const alert = await until('PodCrashLooping fires', 120_000, () => firing('PodCrashLooping'));
    expect(alert.labels).toMatchObject({ namespace: 'shop', container: 'cart' });
    const runbook = new URL(alert.annotations.runbook_url!);
    expect(await podvitals.text(`${runbook.pathname}${runbook.search}`)).toContain('PAYMENT_URL');
  }, 150_000);

  it('fires PodOOMKilled for the worker', async () => {
    const alert = await until('PodOOMKilled fires', 120_000, () => firing('PodOOMKilled'));
    expect(alert.labels).toMatchObject({ namespace: 'shop', container: 'worker' });
  }, 150_000);

  it('says why the cart crashes, with its evidence and the next command', async () => {
    const { pod, verdict } = await podvitals.json<WhyAnswer>('/api/pods/shop/cart/why');
    expect(pod.namespace).toBe('shop');
    expect(verdict).toMatchObject({ cause: 'MissingConfig', failureMode: 'F1' });
    expect(verdict.summary).toContain('PAYMENT_URL');
    expect(verdict.evidence.length).toBeGreaterThan(0);
    expect(verdict.next.length).toBeGreaterThan(0);
  });

  it('says why the worker dies: its memory limit, certain', async () => {
    const verdict = await until('the worker was killed', 60_000, async () => {
      const answer = await podvitals.json<WhyAnswer>('/api/pods/shop/worker/why');
      if (answer.verdict.cause !== 'OOMKilled') {
        const { out } = await podvitals.command('get', 'pods', '-n', 'shop', '-o', 'yaml');
        throw new Error(`${JSON.stringify(answer)}\n${out}\n${podvitals.output()}`);
      }
      return answer.verdict;
    });
    expect(verdict).toMatchObject({ failureMode: 'F2', confidence: 'certain' });
    expect(verdict.summary).toContain('128');
  }, 90_000);

  it('has a ready ratio for each workload', async () => {
    await until('four workloads have a ready ratio', 90_000, async () => {
      const workloads = new Set(
        (await query('workload:pod_ready:ratio')).map((sample) => sample.metric.workload),
      );
      return ['web', 'worker', 'cart', 'search'].every((workload) => workloads.has(workload));
    });
    const [web] = await query('workload:pod_ready:ratio{workload="web"}');
    expect(Number(web!.value[1])).toBeGreaterThan(0.5);
    expect(Number(web!.value[1])).toBeLessThanOrEqual(1);
  }, 120_000);

  it('shows pods as kubectl would', async () => {
    const { code, out } = await podvitals.command('get', 'pods', '-n', 'shop');
    expect(code).toBe(0);
    expect(out).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE$/m);
    expect(out.match(/^web-[a-z0-9]+-[a-z0-9]+ +1\/1 +Running +0 /gm)).toHaveLength(3);
    expect(out).toMatch(/^cart-[a-z0-9]+-[a-z0-9]+ +0\/1 +(CrashLoopBackOff|Error|Running) +[1-9]/m);
  });

  it('prints the crash of the previous life, and the events of the pod', async () => {
    const logs = await podvitals.command('logs', 'shop/cart', '--previous');
    expect(logs.out).toContain('missing required environment variable PAYMENT_URL');
    const described = await podvitals.command('describe', 'shop/cart');
    expect(described.out).toMatch(/BackOff|Back-off/);
    const events = await podvitals.command('events', '--for', 'shop/cart');
    expect(events.out).toContain('BackOff');
  });

  it('gives scrapers the three paths', async () => {
    const get = async (path: string) => (await fetch(`${podvitals.agentUrl}${path}`)).text();
    expect(await get('/metrics/kube-state-metrics')).toContain('kube_pod_status_phase{');
    expect(await get('/metrics/cadvisor')).toContain('container_memory_working_set_bytes{');
    expect(await get('/metrics')).toContain('podvitals_container_deaths_total{');
  });

  it('stores by OTLP what a scrape gives', async () => {
    const scraped = await (await fetch(`${podvitals.agentUrl}/metrics/kube-state-metrics`)).text();
    const line = scraped
      .split('\n')
      .find((text) => text.startsWith('kube_pod_info{') && text.includes('pod="web'))!;
    const labels = Object.fromEntries(
      [...line.matchAll(/([a-z_]+)="([^"]*)"/g)].map((match) => [match[1]!, match[2]!]),
    );
    const [stored] = await query(`kube_pod_info{pod="${labels.pod}"}`);
    const { __name__: _name, job, instance: _instance, ...rest } = stored!.metric;
    expect(job).toBe('kube-state-metrics');
    expect(rest).toEqual(Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== '')));
  });

  it('serves its dashboards as Grafana JSON', async () => {
    for (const uid of ['podvitals-executive', 'podvitals-on-call', 'podvitals-debug']) {
      const dashboard = await podvitals.json<{ uid: string; panels: unknown[] }>(`/dashboards/${uid}.json`);
      expect(dashboard.uid).toBe(uid);
      expect(dashboard.panels.length).toBeGreaterThan(3);
    }
  });
});
