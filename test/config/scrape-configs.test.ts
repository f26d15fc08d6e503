import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'podvitals-config-'));
const path = join(folder, 'podvitals.yaml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(scrapeConfig: string) {
  writeFileSync(path, `collector:\n  scrape_configs:\n    - ${scrapeConfig}\n`);
  return loadConfig({ config: path }, {}).collector.scrapeConfigs[0]!;
}

describe('scrape_configs', () => {
  it('has the defaults of Prometheus', () => {
    expect(load('{job_name: shop, static_configs: [{targets: ["127.0.0.1:1"]}]}')).toMatchObject({
      jobName: 'shop',
      scheme: 'http',
      metricsPath: '/metrics',
      intervalMs: 60_000,
      timeoutMs: 10_000,
      honorLabels: false,
      honorTimestamps: true,
      followRedirects: true,
      compression: true,
      staticGroups: [{ targets: ['127.0.0.1:1'], labels: {} }],
    });
  });

  it('waits no longer than its interval when nothing is said', () => {
    expect(load('{job_name: shop, scrape_interval: 5s}').timeoutMs).toBe(5000);
  });

  it('finds files of targets beside the configuration', () => {
    expect(load('{job_name: shop, file_sd_configs: [{files: ["targets/*.json"]}]}').fileDiscovery).toEqual([
      { files: [join(folder, 'targets/*.json')] },
    ]);
  });

  it('means by 50MB what Prometheus means', () => {
    expect(load('{job_name: shop, body_size_limit: 50MB}').bodyBytes).toBe(50 * 2 ** 20);
    expect(load('{job_name: shop, body_size_limit: 0}').bodyBytes).toBe(0);
  });

  it.each([
    ['{}', 'collector.scrape_configs.0.job_name: Invalid input'],
    [
      '{job_name: a, scrape_interval: soon}',
      'collector.scrape_configs.0.scrape_interval: write a duration above 0, like 15s',
    ],
    [
      '{job_name: a, scrape_interval: 5s, scrape_timeout: 6s}',
      'scrape_timeout: "6s" is above the scrape_interval, 5s; make it at most that',
    ],
    ['{job_name: a, relabel_configs: [{regex: "("}]}', 'relabel_configs.0: the regex "(" does not parse'],
    [
      '{job_name: a, metric_relabel_configs: [{action: hashmod, target_label: b}]}',
      'metric_relabel_configs.0: the action hashmod needs a modulus',
    ],
    [
      '{job_name: a, relabel_configs: [{action: rename}]}',
      'collector.scrape_configs.0.relabel_configs.0.action: Invalid option: expected one of "replace"',
    ],
    ['{job_name: a, file_sd_configs: [{files: [targets.txt]}]}', 'write a path to .json, .yml or .yaml'],
    ['{job_name: a, body_size_limit: much}', 'body_size_limit: "much" is not a size'],
    [
      '{job_name: a, basic_auth: {username: u, password: p}, authorization: {credentials: c}}',
      'both basic_auth and authorization; leave one',
    ],
    [
      '{job_name: a, proxy_url: "http://p"}',
      'collector.scrape_configs.0.proxy_url: there is no such field; there are job_name',
    ],
    ['{job_name: a}\n    - {job_name: a}', 'scrape_configs.1.job_name: there are two jobs "a"'],
  ])('refuses %s, and says where and why', (config, message) => {
    expect(() => load(config)).toThrow(message);
  });
});
