import { describe, expect, it } from 'vitest';
import { parseOpenSlo } from '../../../src/collector/slo/open-slo.ts';

interface Change {
  readonly target?: string;
  readonly annotations?: string;
  readonly ratio?: string;
  readonly window?: string;
  readonly more?: string;
  readonly query?: string;
}

const metric = (query: string) => `{ metricSource: { type: Prometheus, spec: { query: '${query}' } } }`;

const file = (change: Change = {}) => `apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout
  annotations: { ${change.annotations ?? ''} }
spec:
  service: shop
  indicator:
    metadata: { name: good-requests }
    spec:
      ratioMetric:
        counter: true
        ${change.ratio ?? `good: ${metric('good_total')}`}
        total: ${metric(change.query ?? 'requests_total{job="shop"}')}
  timeWindow: [${change.window ?? '{ duration: 30d, isRolling: true }'}]
  budgetingMethod: Occurrences
  objectives: [{ ${change.target ?? 'target: 0.99'} }]
${change.more ?? ''}`;

function problemOf(text: string): string {
  try {
    parseOpenSlo(text, 'slos/shop.yaml');
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'SLO_INVALID' });
    return (error as Error).message;
  }
}

describe('an OpenSLO file', () => {
  it('gives an objective with its budget, without floating-point dust', () => {
    expect(parseOpenSlo(file(), 'f')).toMatchObject([
      {
        name: 'checkout',
        service: 'shop',
        target: 0.99,
        budget: 0.01,
        period: '30d',
        periodMs: 2_592_000_000,
        by: [],
      },
    ]);
    expect(parseOpenSlo(file({ target: 'targetPercent: 99.9' }), 'f')).toMatchObject([
      { target: 0.999, budget: 0.001 },
    ]);
  });

  it('takes policy, labels and exposure from annotations, and else the policy of the SRE Workbook', () => {
    const [plain] = parseOpenSlo(file(), 'f');
    expect(plain!.policy.map(({ factor }) => factor)).toEqual([14.4, 6, 3, 1]);
    // One bad event of six is 16.7%, more than 14.4 x 1%; one of seven is less.
    expect(plain!.minimumExposure).toBe(7);
    const annotations =
      'podvitals.dev/policy: simple, podvitals.dev/by: "namespace, workload", podvitals.dev/minimum-exposure: "30"';
    const [own] = parseOpenSlo(file({ annotations }), 'f');
    expect(own).toMatchObject({ by: ['namespace', 'workload'], minimumExposure: 30 });
    expect(own!.policy.map(({ factor }) => factor)).toEqual([5, 2]);
  });

  it('passes over data sources and services', () => {
    expect(
      parseOpenSlo(`apiVersion: openslo/v1\nkind: Service\nmetadata: { name: shop }\n---\n${file()}`, 'f'),
    ).toHaveLength(1);
  });

  it('refuses an objective too loose ever to burn as fast as its policy asks, with the arithmetic', () => {
    expect(problemOf(file({ target: 'target: 0.9' }))).toBe(
      'slos/shop.yaml:1: SLO checkout: spec.objectives: the target is too loose for policy google-30d: its 1h window asks for 14.4 times the budget, and 14.4 x 0.1 = 1.44, but no more than all events (1) can be bad. Raise the target above 0.930555555556, or choose another policy.',
    );
    expect(problemOf(file({ target: 'target: 0.9', annotations: 'podvitals.dev/policy: simple' }))).toBe('');
  });

  it.each<[Change, string]>([
    [{ target: 'target: 99' }, 'spec.objectives.0.target: must be below 1: 0.99 is 99%'],
    [{ target: 'target: 0.9, targetPercent: 90' }, 'write either target (0.99) or targetPercent (99)'],
    [
      { annotations: 'podvitals.dev/policy: fancy' },
      'podvitals.dev/policy is "fancy"; allowed are google-30d, simple',
    ],
    [{ annotations: 'podvitals.dev/policy: constructor' }, 'allowed are google-30d, simple'],
    [{ annotations: 'podvitals.dev/by: "a-b"' }, '"a-b" is no label name'],
    [{ annotations: 'podvitals.dev/minimum-exposure: many' }, 'write a number above 0'],
    [
      { window: '{ duration: 30d, isRolling: false }' },
      'spec.timeWindow.0.isRolling: only rolling windows can be evaluated',
    ],
    [{ window: '{ duration: a month, isRolling: true }' }, '"a month" is not a duration; write it like 30d'],
    [{ ratio: `good: ${metric('a')}\n        bad: ${metric('b')}` }, 'write either good or bad'],
    [{ query: 'sum(rate(requests_total[5m]))' }, 'must be the selector of a counter'],
    [{ query: 'requests_total offset 5m' }, 'must be the selector of a counter'],
    [{ query: 'requests_total{' }, 'parse error'],
    [{ more: 'extra: 1' }, 'Unrecognized key'],
    [{ more: `---\n${file()}` }, 'SLO checkout is defined twice; give each its own name'],
    [
      { more: '---\nkind: AlertPolicy' },
      'kind "AlertPolicy" cannot be read; allowed are SLO, DataSource, Service',
    ],
    [{ more: '---\na: [' }, 'slos/shop.yaml:19: Flow sequence'],
  ])('%j is refused: %s', (change, message) => {
    expect(problemOf(file(change))).toContain(message);
  });
});
