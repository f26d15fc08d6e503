import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUIET_MS } from '../../../src/collector/incidents/advance.ts';
import { createIncidents } from '../../../src/collector/incidents/incidents.ts';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import type { Alert } from '../../../src/model/alert.ts';
import { encodeLabels, toLabels } from '../../../src/model/labels.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { CART, podView, START } from '../../agent/events/story.ts';
import { liveCart, VERDICT } from '../runbooks/live-cart.ts';

const alert: Alert = {
  labels: toLabels({
    alertname: 'PodCrashLooping',
    severity: 'page',
    namespace: CART.namespace,
    pod: CART.name,
    workload: CART.workload,
  }),
  annotations: [],
  state: 'firing',
  value: 3,
  activeAt: START + 121_000,
};

describe('incidents in a store', () => {
  let folder: string;
  let store: Tsdb;
  const errors: unknown[] = [];
  const clock = createFakeClock(START + 122_000);
  const open = () =>
    createStore({
      path: join(folder, 'collector.db'),
      clock,
      retention: { timeMs: 86_400_000, bytes: 2 ** 30 },
    });
  const incidentsOf = (of: Tsdb) =>
    createIncidents({
      keyValue: of.keyValue,
      events: of.events,
      query: createEngine({ querier: () => of.querier(), clock }).query,
      appender: () => of.appender(),
      clock,
      onError: (error) => errors.push(error),
    });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-incidents-'));
    store = open();
    const { lives, pod } = liveCart();
    await store.events.append([
      ...lives!.map((life) => ({ kind: 'life' as const, life: { ...life, pod: CART } })),
      { kind: 'pod', state: { ...pod!, object: podView().object } },
    ]);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
    expect(errors.splice(0)).toEqual([]);
  });

  it('are kept with their cause and what they cost, over a restart, and closed after it', async () => {
    const appender = store.appender();
    const budget = appender.reference(
      encodeLabels(
        toLabels({
          __name__: 'slo:period_error_budget_remaining:ratio',
          slo: 'ready',
          namespace: CART.namespace,
          workload: CART.workload,
        }),
      ),
    );
    appender.append(budget, START - 60_000, 0.9);
    appender.append(budget, START + 121_500, 0.65);
    await appender.commit();

    const incidents = incidentsOf(store);
    incidents.observe([alert]);
    // Whoever is told at once can be told which one it is.
    const id = incidents.of(alert)!.id;
    expect(incidents.all()).toEqual([]);
    await incidents.settled();
    expect(incidents.get(id)).toMatchObject({
      cause: VERDICT.cause,
      confidence: 'certain',
      evidence: VERDICT.evidence,
      lives: ['life-0', 'life-1', 'life-2'],
      budgetSpent: [{ slo: 'ready', ratio: 0.25 }],
    });

    await store.close();
    store = open();
    const again = incidentsOf(store);
    expect(again.all()).toMatchObject([{ id, cause: VERDICT.cause }]);
    await clock.advance(10_000);
    again.observe([]);
    await again.settled();
    await clock.advance(QUIET_MS);
    again.observe([]);
    await again.settled();
    expect(again.get(id)!.to).toBe(START + 132_000);
    expect(again.of(alert)).toBeUndefined();
  });

  it('are series that a dashboard draws, and end with what they count', async () => {
    const incidents = incidentsOf(store);
    incidents.observe([alert]);
    await incidents.settled();
    const { query } = createEngine({ querier: () => store.querier(), clock });
    const ask = async (expr: string) => {
      const { value } = await query(expr, clock.now());
      return value.type === 'vector' ? value.samples.map(({ v }) => v) : [];
    };
    expect(await ask('sum by (cause) (cause:incidents:count30d{cause="MissingConfig"})')).toEqual([1]);
    expect(await ask('cause:incidents_open:count{namespace="shop"}')).toEqual([1]);
    await clock.advance(10_000);
    incidents.observe([]);
    await incidents.settled();
    await clock.advance(QUIET_MS);
    incidents.observe([]);
    await incidents.settled();
    expect(await ask('cause:incidents_open:count')).toEqual([]);
    expect(await ask('cause:incidents:count30d')).toEqual([1]);
  });

  it('that cannot be kept are told, and kept with the next look', async () => {
    let broken = true;
    const { keyValue } = store;
    const incidents = createIncidents({
      keyValue: {
        ...keyValue,
        set: (key, value) => (broken ? Promise.reject(new Error('disk full')) : keyValue.set(key, value)),
      },
      events: store.events,
      query: createEngine({ querier: () => store.querier(), clock }).query,
      appender: () => store.appender(),
      clock,
      onError: (error) => errors.push(error),
    });
    incidents.observe([alert]);
    await incidents.settled();
    expect(errors.splice(0)).toMatchObject([{ message: 'disk full' }]);
    expect(incidents.all()).toEqual([]);
    broken = false;
    incidents.observe([alert]);
    await incidents.settled();
    expect(incidents.all()).toHaveLength(1);
  });
});
