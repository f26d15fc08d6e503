import { describe, expect, it } from 'vitest';
import { deathsEachStep, deathsInMonth } from '../../../src/collector/dashboards/deaths.ts';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { interpolate } from '../../../src/console/dashboards/interpolate.ts';
import { toLabels } from '../../../src/model/labels.ts';
import { listOf } from '../../../src/model/sample.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createSampleStore } from '../../support/sample-store.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 21, 12);

/** A shop whose cart was created an hour ago and died 4 times; its series begin with the first death of each reason. */
function shopWithDeaths() {
  const store = createSampleStore();
  const cart = { namespace: 'shop', pod: 'cart-1', uid: 'u1' };
  const every15s = (from: number, to: number) =>
    Array.from({ length: Math.floor((to - from) / 15_000) + 1 }, (_, i) => from + i * 15_000);
  const created = NOW - 60 * MINUTE;
  store.append(
    toLabels({ __name__: 'kube_pod_created', ...cart }),
    every15s(created, NOW).map((t) => ({ t, v: created / 1000 })),
  );
  store.append(
    toLabels({ __name__: 'kube_pod_container_info', ...cart, container: 'cart' }),
    every15s(created, NOW).map((t) => ({ t, v: 1 })),
  );
  const deaths = (reason: string, at: readonly number[]) =>
    store.append(
      toLabels({
        __name__: 'podvitals_container_deaths_total',
        ...cart,
        container: 'cart',
        reason,
        requested: 'false',
      }),
      every15s(at[0]!, NOW).map((t) => ({ t, v: at.filter((one) => one <= t).length })),
    );
  deaths('Error', [created + 15_000, created + 7 * MINUTE, created + 31 * MINUTE]);
  deaths('OOMKilled', [created + 20 * MINUTE]);
  return { store, created, every15s };
}

const engineOver = (store: ReturnType<typeof createSampleStore>) =>
  createEngine({ querier: () => store.querier, clock: systemClock });

describe('deaths on the dashboards', () => {
  it.each([15, 60, 360])('are each counted once, in whole numbers, in steps of %i s', async (step) => {
    const { store } = shopWithDeaths();
    const range = { start: NOW / 1000 - 6 * 3600, end: NOW / 1000, step };
    const expr = interpolate(deathsEachStep('namespace="shop"'), [], {}, range);
    const { value } = await engineOver(store).queryRange(expr, {
      startMs: range.start * 1000,
      endMs: NOW,
      stepMs: step * 1000,
    });
    const counted = (value.type === 'matrix' ? value.series : []).map(({ labels, samples }) => [
      Object.fromEntries(labels).reason,
      listOf(samples).every(({ v }) => Number.isInteger(v)),
      listOf(samples).reduce((sum, { v }) => sum + v, 0),
    ]);
    expect(counted.sort()).toEqual([
      ['Error', true, 3],
      ['OOMKilled', true, 1],
    ]);
  });

  it('of a month are whole, with those of a pod that is gone, without those of the time before', async () => {
    const { store, every15s } = shopWithDeaths();
    const old = {
      namespace: 'shop',
      pod: 'old-1',
      uid: 'u2',
      container: 'old',
      reason: 'Error',
      requested: 'false',
    };
    const samples = [NOW - 30 * DAY, ...every15s(NOW - 5 * DAY, NOW - 5 * DAY + 10 * MINUTE)];
    store.append(
      toLabels({ __name__: 'podvitals_container_deaths_total', ...old }),
      samples.map((t, i) => ({ t, v: i < 10 ? 7 : 9 })),
    );
    const { value } = await engineOver(store).query(deathsInMonth('namespace="shop"'), NOW);
    const counted = (value.type === 'vector' ? value.samples : []).map(({ labels, v }) => [
      Object.fromEntries(labels).reason,
      v,
    ]);
    expect(counted.sort()).toEqual([
      ['Error', 3 + 2],
      ['OOMKilled', 1],
    ]);
  });
});
