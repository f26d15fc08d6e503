import { describe, expect, it } from 'vitest';
import { budgetStatus, evictionRefusal } from '../../../../src/agent/pod/node/disruption-budget.ts';

const pods = (healthy: number, ill: number, desired = healthy + ill) =>
  Array.from({ length: healthy + ill }, (_, index) => ({
    uid: `web-${index}`,
    namespace: 'shop',
    labels: { app: 'web' },
    healthy: index < healthy,
    workload: { key: 'deployment shop/web', desired },
  }));
const budget = (rule: { minAvailable?: number | string; maxUnavailable?: number | string }) => ({
  namespace: 'shop',
  name: 'web',
  selector: { matchLabels: { app: 'web' } },
  ...rule,
});

// Source: kubernetes/pkg/controller/disruption/disruption_test.go
describe('a disruption budget', () => {
  it('keeps a number of pods, or a share of those there should be, rounded up', () => {
    expect(budgetStatus(budget({ minAvailable: 2 }), pods(3, 0)).disruptionsAllowed).toBe(1);
    expect(budgetStatus(budget({ minAvailable: '50%' }), pods(5, 0))).toMatchObject({
      desiredHealthy: 3,
      disruptionsAllowed: 2,
    });
    expect(budgetStatus(budget({ maxUnavailable: 1 }), pods(3, 0)).disruptionsAllowed).toBe(1);
    expect(budgetStatus(budget({ maxUnavailable: 1 }), pods(2, 0, 3)).disruptionsAllowed).toBe(0);
  });

  it('allows nothing where it selects nothing', () => {
    expect(budgetStatus(budget({ minAvailable: 0 }), [])).toMatchObject({
      expectedPods: 0,
      disruptionsAllowed: 0,
    });
  });

  it('refuses an eviction that would break it, with the arithmetic', () => {
    const all = pods(2, 0);
    expect(evictionRefusal(all[0]!, [budget({ minAvailable: 2 })], all)).toBe(
      "Cannot evict pod as it would violate the pod's disruption budget. The disruption budget web needs 2 healthy pods and has 2 currently",
    );
    expect(evictionRefusal(all[0]!, [budget({ minAvailable: 1 })], all)).toBeUndefined();
    expect(evictionRefusal({ ...all[0]!, labels: {} }, [budget({ minAvailable: 2 })], all)).toBeUndefined();
  });

  it('lets an ill pod go while enough others are well', () => {
    const all = pods(2, 1);
    expect(evictionRefusal(all[2]!, [budget({ minAvailable: 2 })], all)).toBeUndefined();
    expect(evictionRefusal(all[0]!, [budget({ minAvailable: 2 })], all)).toContain('violate');
  });

  it('lets an ill pod go in any case where the budget says so', () => {
    const all = pods(1, 1);
    const rule = { minAvailable: 2 };
    expect(evictionRefusal(all[1]!, [budget(rule)], all)).toContain('violate');
    const always = { ...budget(rule), unhealthyPodEvictionPolicy: 'AlwaysAllow' } as const;
    expect(evictionRefusal(all[1]!, [always], all)).toBeUndefined();
    expect(evictionRefusal(all[0]!, [always], all)).toContain('violate');
  });
});
