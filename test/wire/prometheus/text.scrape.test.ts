import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelsKey, toLabels } from '../../../src/model/labels.ts';
import { samplesOf, toSeriesLabels } from '../../../src/wire/catalogue/series.ts';
import type { Signal } from '../../../src/wire/catalogue/signal.ts';
import { expose } from '../../../src/wire/prometheus/text.ts';
import { findPart, missing } from '../../support/parts.ts';
import { onePointEach } from './one-point-each.ts';

const PATHS: Readonly<Record<Signal['path'], string>> = {
  'kube-state-metrics': '/metrics/kube-state-metrics',
  cadvisor: '/metrics/cadvisor',
  kubelet: '/metrics',
};

interface Stored {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

const FORMATS = {
  PrometheusText0: { protocol: 'PrometheusText0.0.4', answers: /^text\/plain/ },
  OpenMetricsText1: { protocol: 'OpenMetricsText1.0.0', answers: /^application\/openmetrics-text/ },
};

describe.skipIf(missing('prometheus')).each(Object.values(FORMATS))(
  'Prometheus scraping $protocol',
  (format) => {
    const folder = mkdtempSync(join(tmpdir(), 'podvitals-scrape-'));
    const contentTypes = new Set<string>();
    let exporter: Server;
    let prometheus: ChildProcess | undefined;
    let instance = '';
    let api = '';

    const query = async (expression: string): Promise<readonly Stored[]> => {
      const response = await fetch(`${api}/api/v1/query?query=${encodeURIComponent(expression)}`).catch(
        () => undefined,
      );
      const body = (await response?.json().catch(() => undefined)) as
        | { data?: { result: Stored[] } }
        | undefined;
      return body?.data?.result ?? [];
    };

    beforeAll(async () => {
      exporter = createServer((request, response) => {
        const path = (Object.keys(PATHS) as Signal['path'][]).find((name) => PATHS[name] === request.url);
        if (!path) return response.writeHead(404).end();
        const { contentType, body } = expose(onePointEach(), path, request.headers.accept ?? '');
        contentTypes.add(contentType);
        return response.writeHead(200, { 'content-type': contentType }).end(body);
      });
      await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
      instance = `127.0.0.1:${(exporter.address() as AddressInfo).port}`;
      const port = await freePort();
      api = `http://127.0.0.1:${port}`;
      writeFileSync(join(folder, 'prometheus.yml'), configuration(instance, format.protocol));
      prometheus = spawn(
        findPart('prometheus')!,
        [
          `--config.file=${join(folder, 'prometheus.yml')}`,
          `--storage.tsdb.path=${join(folder, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
        ],
        { stdio: 'ignore' },
      );
      const deadline = performance.now() + 50_000;
      while ((await query('up == 1')).length < 3 && performance.now() < deadline) await wait(100);
    });

    afterAll(async () => {
      const ended = prometheus && new Promise((resolve) => prometheus!.once('exit', resolve));
      prometheus?.kill('SIGKILL');
      await ended;
      exporter.close();
      exporter.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    });

    it('takes all three paths', async () => {
      const up = await query('up');
      expect(up.map(({ metric, value }) => [metric.job, value[1]]).sort()).toEqual([
        ['cadvisor', '1'],
        ['kube-state-metrics', '1'],
        ['kubelet', '1'],
      ]);
      expect(contentTypes.size).toBe(1);
      expect([...contentTypes][0]).toMatch(format.answers);
    });

    it('stores exactly the series, labels and values that a receiver of OTLP makes of the same points', async () => {
      const expected = new Map<string, number>();
      for (const point of onePointEach()) {
        for (const sample of samplesOf(point)) {
          const labels = toSeriesLabels(
            point.signal,
            point.labels,
            { job: point.signal.path, instance },
            sample,
          );
          expected.set(labelsKey(labels), sample.value);
        }
      }
      const stored = await query('{job=~".+", __name__!~"up|scrape_.*"}');
      const found = new Map(
        stored.map(({ metric, value }) => [labelsKey(toLabels(metric)), Number(value[1])]),
      );
      expect([...found].sort()).toEqual([...expected].sort());
    });

    it('reads help and types', async () => {
      const response = await fetch(`${api}/api/v1/metadata?metric=kube_pod_status_phase`);
      const { data } = (await response.json()) as { data: Record<string, { type: string; help: string }[]> };
      expect(data.kube_pod_status_phase).toMatchObject([
        { type: 'gauge', help: '1 for the phase the pod is in, 0 for the four others.' },
      ]);
    });
  },
);

function configuration(target: string, protocol: string): string {
  const jobs = Object.entries(PATHS).map(
    ([job, path]) =>
      `  - job_name: ${job}\n    metrics_path: ${path}\n    honor_labels: true\n    static_configs: [{targets: ['${target}']}]`,
  );
  return `global: {scrape_interval: 1s, scrape_timeout: 1s, scrape_protocols: [${protocol}]}\nscrape_configs:\n${jobs.join('\n')}\n`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
