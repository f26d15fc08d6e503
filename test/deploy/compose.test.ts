import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Fastify from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { metricsRoutes } from '../../src/agent/api/metrics.ts';
import { loadConfig } from '../../src/config/config.ts';
import { catalogue } from '../../src/wire/catalogue/catalogue.ts';
import { findPart, missing } from '../support/parts.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly network_mode: string;
  readonly ports?: unknown;
  readonly privileged?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, unknown>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(read('docker-compose.yml')) as Compose;
const prometheus = parse(read('deploy/prometheus/prometheus.yml')) as {
  rule_files: string[];
  scrape_configs: { job_name: string; metrics_path: string; static_configs: { targets: string[] }[] }[];
};
const config = loadConfig({}, {});
const { collector, agent } = config;
const placeOf = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;

const folder = mkdtempSync(join(tmpdir(), 'podvitals-compose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docker-compose.yml', () => {
  it('runs collector, agent, Prometheus and Grafana', () => {
    expect(Object.keys(compose.services)).toEqual(['collector', 'agent', 'prometheus', 'grafana']);
  });

  it('lets nobody in from outside: loopback only, and only the agent is privileged', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.network_mode, name).toBe('host');
      expect(service.ports, name).toBeUndefined();
      expect(service.privileged === true, name).toBe(name === 'agent');
    }
    for (const listen of [collector.listen, collector.otlpGrpc, collector.otlpHttp, agent.listen]) {
      expect(listen.host).toBe('127.0.0.1');
    }
    expect(read('docker-compose.yml')).not.toMatch(/0\.0\.0\.0|\[::\]/);
    expect(compose.services.grafana!.environment!.GF_SERVER_HTTP_ADDR).toBe('127.0.0.1');
  });

  it('mounts only what exists, and volumes it declares', () => {
    for (const { volumes = [] } of Object.values(compose.services)) {
      for (const volume of volumes) {
        const [source] = volume.split(':') as [string];
        if (source.startsWith('.')) expect(existsSync(join(root, source)), source).toBe(true);
        else if (!source.startsWith('/')) expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
  });

  it('gives commands and files that podvitals knows', () => {
    const help = execFileSync(join(root, 'podvitals'), ['--help'], { encoding: 'utf8' });
    for (const name of ['collector', 'agent']) {
      const [command, ...files] = compose.services[name]!.command!;
      expect(help).toMatch(new RegExp(`^ +${command} `, 'm'));
      for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
    }
  });

  it("sends the agent's signals to where the collector listens, and asks it there whether it is ready", () => {
    const { environment } = compose.services.agent!;
    expect(environment!.OTEL_EXPORTER_OTLP_ENDPOINT).toBe(`http://${placeOf(collector.otlpGrpc)}`);
    const probe = compose.services.collector!.healthcheck!.test.at(-1)!;
    expect(probe).toContain(`fetch('http://${placeOf(collector.listen)}/-/ready')`);
    expect(() => new Function(`return async () => { ${probe} }`)).not.toThrow();
  });
});

describe('the Prometheus beside it', () => {
  it("scrapes the agent's paths under the jobs that the catalogue names, and the collector", async () => {
    const jobs = new Map(prometheus.scrape_configs.map((scrape) => [scrape.job_name, scrape]));
    const app = Fastify();
    app.register(metricsRoutes(async (path) => ({ contentType: 'text/plain', body: path })));
    for (const job of new Set(catalogue.map((signal) => signal.path))) {
      const { metrics_path, static_configs } = jobs.get(job)!;
      expect((await app.inject(metrics_path)).body).toBe(job);
      expect(static_configs).toEqual([{ targets: [placeOf(agent.listen)] }]);
    }
    expect(jobs.get('podvitals-collector')!.static_configs).toEqual([
      { targets: [placeOf(collector.listen)] },
    ]);
  });

  it.skipIf(missing('promtool'))('has a configuration and rules that promtool accepts', () => {
    const [mounted] = compose.services.prometheus!.volumes!.filter((volume) => volume.startsWith('./rules:'));
    const inside = mounted!.split(':')[1]!;
    expect(prometheus.rule_files).toEqual([`${inside}/*.yaml`]);
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, read('deploy/prometheus/prometheus.yml').replace(inside, join(root, 'rules')));
    const said = execFileSync(findPart('promtool')!, ['check', 'config', file], { encoding: 'utf8' });
    expect(said).toContain('SUCCESS');
    expect(said).toContain(`SUCCESS: ${file} is valid prometheus config file syntax`);
  });
});

describe('the Grafana beside it', () => {
  const mounts = new Map(
    compose.services.grafana!.volumes!.map(
      (volume) => volume.split(':').slice(0, 2).reverse() as [string, string],
    ),
  );

  it('asks podvitals and Prometheus where they listen', () => {
    expect(mounts.get('/etc/grafana/provisioning')).toBe('./deploy/grafana/provisioning');
    const { datasources } = parse(read('deploy/grafana/provisioning/datasources/podvitals.yaml')) as {
      datasources: { type: string; url: string; isDefault?: boolean }[];
    };
    const listens = compose.services.prometheus!.command!.find((flag) =>
      flag.startsWith('--web.listen-address='),
    )!;
    expect(datasources.map(({ type, url }) => [type, url])).toEqual([
      ['prometheus', `http://${placeOf(collector.listen)}`],
      ['prometheus', `http://${listens.split('=')[1]}`],
    ]);
    expect(datasources.filter(({ isDefault }) => isDefault)).toHaveLength(1);
  });

  it('loads our dashboards from where they are mounted, and opens with one of them', () => {
    const { providers } = parse(read('deploy/grafana/provisioning/dashboards/podvitals.yaml')) as {
      providers: { type: string; options: { path: string } }[];
    };
    expect(mounts.get(providers[0]!.options.path)).toBe('./dashboards');
    const home = compose.services.grafana!.environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH!;
    expect(
      readdirSync(join(root, 'dashboards')).map((file) => `${providers[0]!.options.path}/${file}`),
    ).toContain(home);
  });
});

describe('the Dockerfile', () => {
  const instructions = read('Dockerfile').replace(/\\\n/g, ' ').split('\n');
  const copied = instructions
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));

  it('copies only what exists and what .dockerignore lets through', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    for (const source of copied) {
      expect(existsSync(join(root, source)), source).toBe(true);
      expect(allowed).toContain(source);
    }
    expect(copied).toEqual(expect.arrayContaining(['rules', 'dashboards', 'runbooks', 'slos', 'examples']));
  });

  it('starts the published command, which starts what the build makes, on a Node that package.json allows', () => {
    const { bin, engines } = JSON.parse(read('package.json')) as {
      bin: { podvitals: string };
      engines: { node: string };
    };
    const entry = JSON.parse(
      instructions.find((line) => line.startsWith('ENTRYPOINT '))!.slice('ENTRYPOINT '.length),
    );
    expect(entry).toEqual([`/app/${bin.podvitals}`]);
    expect(read(bin.podvitals)).toContain('build/cli/main.js');
    const [, major] = /^FROM node:(\d+)/.exec(instructions.find((line) => line.startsWith('FROM'))!)!;
    expect(engines.node).toMatch(new RegExp(`^>=${major}\\.`));
  });
});
