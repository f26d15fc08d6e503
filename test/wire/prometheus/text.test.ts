import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { catalogue, signalsNamed } from '../../../src/wire/catalogue/catalogue.ts';
import type { Point, Signal } from '../../../src/wire/catalogue/signal.ts';
import { negotiate } from '../../../src/wire/prometheus/content-type.ts';
import { expose, renderText } from '../../../src/wire/prometheus/text.ts';
import { findPart, missing } from '../../support/parts.ts';
import { onePointEach } from './one-point-each.ts';

const named = (name: string): Signal => signalsNamed(name)[0]!;
const phase = named('kube_pod_status_phase');
const lines = (text: string) => text.split('\n').filter((line) => !line.startsWith('#') && line !== '');

describe('the text format', () => {
  it('puts HELP and TYPE once before all series of a family', () => {
    const point = (pod: string, value: number): Point => ({
      signal: phase,
      labels: ['shop', pod, 'u11', 'Running'],
      value,
    });
    const other: Point = {
      signal: named('kube_pod_created'),
      labels: ['shop', 'web', 'u12'],
      value: 1767225600,
    };
    expect(renderText([point('cart', 1), other, point('web', 0)], 'prometheus-0.0.4')).toBe(
      [
        '# HELP kube_pod_status_phase 1 for the phase the pod is in, 0 for the four others.',
        '# TYPE kube_pod_status_phase gauge',
        'kube_pod_status_phase{namespace="shop",pod="cart",uid="u11",phase="Running"} 1',
        'kube_pod_status_phase{namespace="shop",pod="web",uid="u11",phase="Running"} 0',
        '# HELP kube_pod_created When the pod was created, in Unix time.',
        '# TYPE kube_pod_created gauge',
        'kube_pod_created{namespace="shop",pod="web",uid="u12"} 1767225600',
        '',
      ].join('\n'),
    );
  });

  it('escapes backslash, quote and line feed in label values', () => {
    const text = renderText(
      [{ signal: phase, labels: ['a"b', 'c\\d', 'e\nf', 'Running'], value: 1 }],
      'prometheus-0.0.4',
    );
    expect(lines(text)).toEqual([
      'kube_pod_status_phase{namespace="a\\"b",pod="c\\\\d",uid="e\\nf",phase="Running"} 1',
    ]);
  });

  it('writes a lone surrogate, which has no UTF-8, as the replacement character', () => {
    const text = renderText(
      [{ signal: phase, labels: ['\ud83d', 'p', 'u', 'Running'], value: 1 }],
      'prometheus-0.0.4',
    );
    expect(text).toContain('namespace="\ufffd"');
  });

  it('leaves empty labels out and braces too when there are none', () => {
    const signal = named('kube_pod_owner');
    const bare: Point = { signal, labels: ['shop', 'cart', 'u11', '', '', ''], value: 1 };
    expect(lines(renderText([bare], 'prometheus-0.0.4'))).toEqual([
      'kube_pod_owner{namespace="shop",pod="cart",uid="u11"} 1',
    ]);
    const count: Point = { signal: named('kubelet_running_pods'), labels: [], value: 3 };
    expect(lines(renderText([count], 'prometheus-0.0.4'))).toEqual(['kubelet_running_pods 3']);
  });

  it('writes no timestamps, so that a dead container leaves a stale marker', () => {
    const [text] = lines(expose(onePointEach(), 'cadvisor', '').body);
    expect(text).toMatch(/\} 11\.5$/);
  });

  it('writes infinities and NaN as Prometheus does', () => {
    const values = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e21, 0.1];
    const points = values.map(
      (value): Point => ({ signal: named('kubelet_running_pods'), labels: [], value }),
    );
    expect(lines(renderText(points, 'prometheus-0.0.4')).map((line) => line.split(' ')[1])).toEqual([
      '+Inf',
      '-Inf',
      'NaN',
      '1e+21',
      '0.1',
    ]);
  });

  it('shows a path only its own signals', () => {
    for (const path of ['kube-state-metrics', 'cadvisor', 'kubelet'] as const) {
      const families = [...expose(onePointEach(), path, '').body.matchAll(/^# TYPE (\S+)/gm)].map(
        (match) => match[1]!,
      );
      expect(new Set(families)).toEqual(
        new Set(catalogue.filter((signal) => signal.path === path).map((signal) => signal.name)),
      );
    }
  });
});

describe('OpenMetrics', () => {
  it('ends with EOF and takes _total off the family of a counter', () => {
    const deaths = named('podvitals_container_oom_kills_total');
    const text = renderText(
      [{ signal: deaths, labels: ['shop', 'cart', 'u11', 'c'], value: 2 }],
      'openmetrics-1.0.0',
    );
    expect(text).toMatch(
      /^# HELP podvitals_container_oom_kills .*\n# TYPE podvitals_container_oom_kills counter\n/,
    );
    expect(text).toMatch(/\npodvitals_container_oom_kills_total\{.*\} 2\n# EOF\n$/);
  });

  it('declares unknown what cannot be a counter there: without _total, or with a gauge of the bare name', () => {
    const text = renderText(onePointEach(), 'openmetrics-1.0.0');
    const unknown = [...text.matchAll(/^# TYPE (\S+) unknown$/gm)].map((match) => match[1]);
    expect(unknown.sort()).toEqual([
      'container_memory_failcnt',
      'kubelet_evictions',
      'podvitals_container_back_off_seconds_total',
    ]);
    const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    expect(new Set(families).size).toBe(families.length);
  });
});

describe('the Accept header', () => {
  const prometheus35 =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
  it.each([
    [prometheus35, 'openmetrics-1.0.0'],
    ['application/openmetrics-text; version=1.0.0', 'openmetrics-1.0.0'],
    ['text/plain;version=0.0.4', 'prometheus-0.0.4'],
    ['text/plain;version=0.0.4;q=1,application/openmetrics-text;q=0.5', 'prometheus-0.0.4'],
    ['application/openmetrics-text;q=0,text/plain', 'prometheus-0.0.4'],
    ['application/openmetrics-text;version=2.0.0', 'prometheus-0.0.4'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus-0.0.4'],
    ['', 'prometheus-0.0.4'],
  ])('%s gets %s', (accept, format) => {
    expect(negotiate(accept)).toBe(format);
  });
});

/** Names of the exporters we stand in for that promtool's naming advice does not like; ours all pass. */
const FOREIGN = /^(kube_|container_|kubelet_|prober_)/;

describe.skipIf(missing('promtool'))('promtool check metrics', () => {
  for (const path of ['kube-state-metrics', 'cadvisor', 'kubelet'] as const) {
    it(`reads ${path}, and finds nothing to say about names that are ours`, () => {
      const { body } = expose(onePointEach(), path, '');
      const run = spawnSync(findPart('promtool')!, ['check', 'metrics'], { input: body, encoding: 'utf8' });
      const advice = (run.stdout + run.stderr).split('\n').filter((line) => line !== '');
      expect(advice.filter((line) => !FOREIGN.test(line))).toEqual([]);
      // 3 is advice; 1 would be an error.
      expect([0, 3]).toContain(run.status);
    });
  }
});
