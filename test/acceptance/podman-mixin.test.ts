import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fixtures } from '../support/parts.ts';
import { BUSYBOX_IMAGE, noPodman, startPodman, type TestPodman } from '../support/podman.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from '../support/podvitals.ts';

interface Vector {
  readonly data: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
}
interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly record?: string; readonly alert?: string; readonly expr: string }[];
  }[];
}
interface Panel {
  readonly title?: string;
  readonly panels?: readonly Panel[];
  readonly targets?: readonly { readonly expr: string }[];
}

const PATIENCE_MS = 120_000;
/** What the mixin records of pods and containers. */
const OF_PODS =
  /^(node_namespace_pod|namespace_(cpu|memory):|cluster:namespace:pod_|namespace_workload_pod:)/;
/** What a host without a quota, without disk readings by cgroup (v1), or with an idle network has none of. */
const WITHOUT_DATA = /kube_resourcequota|container_fs_|container_memory_swap/;

const mixin = (name: string) => join(fixtures ?? '', 'mixin', name);
const rulesOf = (name: string) =>
  (parse(readFileSync(mixin(name), 'utf8')) as RuleFile).groups.flatMap(({ rules }) => rules);
const panelsOf = (panels: readonly Panel[]): readonly Panel[] =>
  panels.flatMap((panel) => [panel, ...panelsOf(panel.panels ?? [])]);

/** The collector's part of the configuration for dashboards that kube-prometheus rendered, of an agent on this port. */
function ofKubePrometheus(agent: number): Readonly<Record<string, unknown>> {
  const path = join(import.meta.dirname, '../../deploy/kube-prometheus/podvitals.yaml');
  const text = readFileSync(path, 'utf8').replaceAll('127.0.0.1:7639', `127.0.0.1:${agent}`);
  const { collector } = parse(text) as { readonly collector: Readonly<Record<string, unknown>> };
  const job = (collector.scrape_configs as readonly object[])[0];
  return { scrape_configs: [{ ...job, scrape_interval: '5s' }] };
}

interface PodmanStats {
  readonly mem_usage: string;
  readonly pids: string;
  /** `1m2.5s`, `27.17ms` */
  readonly cpu_time: string;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, µs: 1e-6 };
const secondsOf = (text: string) =>
  [...text.matchAll(/([\d.]+)(h|ms|m|µs|s)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * UNIT_SECONDS[unit!]!,
    0,
  );

describe.skipIf(fixtures === undefined || noPodman())(
  'kubernetes-mixin as it is, on a host with Podman pods',
  () => {
    const dataDir = temporaryDataDir();
    let podman: TestPodman;
    let podvitals: Podvitals;

    beforeAll(async () => {
      podman = await startPodman();
      await podman.podman('pod', 'create', '--name', 'shop');
      const run = (name: string, flags: readonly string[], script: string) =>
        podman.podman('run', '-d', '--name', name, ...flags, BUSYBOX_IMAGE, 'sh', '-c', script);
      await run('till', ['--pod', 'shop', '-m', '64m', '--cpus', '0.2'], 'while :; do :; done');
      await run('cart', ['--network', 'none', '--restart', 'always'], 'sleep 1; exit 3');
      const ports = await freePorts();
      podvitals = await startPodvitals({
        dataDir: dataDir.path,
        ports,
        env: { CONTAINER_HOST: `unix://${podman.socket}` },
        agent: { interval: '5s' },
        collector: {
          ...ofKubePrometheus(ports.agent),
          rules: [mixin('prometheus_rules.yaml'), mixin('prometheus_alerts.yaml')],
        },
      });
    }, 240_000);
    afterAll(async () => {
      await podvitals?.stop();
      await podman?.remove();
      dataDir.remove();
    }, 240_000);

    const query = async (expression: string) =>
      (await podvitals.json<Vector>(`/api/v1/query?query=${encodeURIComponent(expression)}`)).data.result;
    const statsOf = async (name: string) =>
      (
        JSON.parse(
          await podman.podman('stats', '--no-stream', '--format', 'json', name),
        ) as readonly PodmanStats[]
      )[0]!;
    const empty = async (expressions: readonly string[]) => {
      const without: string[] = [];
      for (const expression of expressions)
        if ((await query(expression)).length === 0) without.push(expression);
      return without;
    };

    it('has data of every rule that records pods and containers', async () => {
      const records = [
        ...new Set(
          rulesOf('prometheus_rules.yaml').flatMap(({ record }) =>
            record && OF_PODS.test(record) ? [record] : [],
          ),
        ),
      ].filter((record) => !WITHOUT_DATA.test(record.replace('node_namespace_pod_container:', '')));
      expect(records.length).toBeGreaterThan(10);
      let left: readonly string[] = records;
      await until('all records', PATIENCE_MS, async () => {
        left = await empty(left);
        return left.length === 0;
      }).catch(() => {});
      expect(left).toEqual([]);
    }, 180_000);

    it('raises the alert for the crash loop and none for the pod that is well', async () => {
      const pods = async (alert: string) =>
        (await query(`ALERTS{alertname="${alert}"}`)).map(({ metric }) => metric.pod);
      await until('KubePodCrashLooping', PATIENCE_MS, async () =>
        (await pods('KubePodCrashLooping')).includes('cart'),
      );
      const others = await query('ALERTS{alertname=~"Kube(Pod|Container|Job|Deployment).*",pod!="cart"}');
      expect(others.map(({ metric }) => `${metric.alertname} ${metric.pod}`)).toEqual([]);
    }, 180_000);

    it('fills every panel that can have data', async () => {
      const variables: Readonly<Record<string, string>> = {
        cluster: '',
        namespace: 'default',
        pod: 'shop',
        type: 'barepod',
        workload: 'shop',
        __rate_interval: '5m',
        interval: '5m',
        resolution: '5m',
      };
      const expressions = readdirSync(mixin('dashboards')).flatMap((file) => {
        const { panels, rows } = JSON.parse(readFileSync(mixin(`dashboards/${file}`), 'utf8')) as {
          readonly panels?: readonly Panel[];
          readonly rows?: readonly Panel[];
        };
        return panelsOf([...(panels ?? []), ...(rows ?? [])]).flatMap(({ targets }) =>
          (targets ?? []).map(({ expr }) =>
            expr.replace(/\$\{?(\w+)(?::\w+)?\}?/g, (whole, name: string) => variables[name] ?? whole),
          ),
        );
      });
      const able = [...new Set(expressions)].filter((expression) => !WITHOUT_DATA.test(expression));
      expect(able.length).toBeGreaterThan(40);
      let left: readonly string[] = able;
      await until('all panels', PATIENCE_MS, async () => {
        left = await empty(left);
        return left.length === 0;
      }).catch(() => {});
      expect(left).toEqual([]);
    }, 180_000);

    it('agrees with podman stats', async () => {
      const stats = await statsOf('till');
      const value = async (expression: string) => Number((await query(expression))[0]!.value[1]);
      expect(String(await value('container_processes{pod="shop",container="till"}'))).toBe(stats.pids);
      const [, amount, unit] = /^([\d.]+)(k?M?B) /.exec(stats.mem_usage)!;
      const bytes = Number(amount) * (unit === 'MB' ? 1e6 : unit === 'kB' ? 1e3 : 1);
      const ours = await value('container_memory_usage_bytes{pod="shop",container="till"}');
      expect(Math.abs(ours - bytes)).toBeLessThan(256 * 1024);
      // What was used only grows: podman's number lies between two of ours.
      const used = () => value('container_cpu_usage_seconds_total{pod="shop",container="till"}');
      const before = await used();
      const podmans = secondsOf((await statsOf('till')).cpu_time);
      expect(podmans).toBeGreaterThanOrEqual(before - 0.01);
      await until('our next reading', PATIENCE_MS, async () => (await used()) >= podmans);
      expect((await used()) - podmans).toBeLessThan(podmans + 5);
    }, 60_000);
  },
);
