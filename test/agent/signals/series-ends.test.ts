import { describe, expect, it } from 'vitest';
import { createSeriesEnds } from '../../../src/agent/signals/series-ends.ts';
import { pointsOfPod } from '../../../src/agent/signals/signals.ts';
import { containerRequests } from '../../../src/wire/catalogue/container-status.ts';
import { podSignals } from '../../../src/wire/catalogue/pod.ts';
import type { Point } from '../../../src/wire/catalogue/signal.ts';
import { expose } from '../../../src/wire/prometheus/text.ts';
import { cartPod, cartStatus, changed, usages } from './views.ts';

const created = (pod: string): Point => ({
  signal: podSignals.created,
  labels: ['shop', pod, `uid-${pod}`],
  value: 11,
});
const ended = (point: Point): Point => ({ ...point, ended: true });

describe('series that end', () => {
  it('are told once', () => {
    const ends = createSeriesEnds();
    expect(ends.update('u11', [created('cart'), created('web')])).toEqual([]);
    expect(ends.update('u11', [created('web')])).toEqual([ended(created('cart'))]);
    expect(ends.update('u11', [created('web')])).toEqual([]);
  });

  it('may begin again', () => {
    const ends = createSeriesEnds();
    ends.update('u11', [created('cart')]);
    ends.update('u11', []);
    expect(ends.update('u11', [created('cart')])).toEqual([]);
    expect(ends.update('u11', [])).toEqual([ended(created('cart'))]);
  });

  it('are only those of the scope that is updated or ends', () => {
    const ends = createSeriesEnds();
    ends.update('u11', [created('cart')]);
    ends.update('u12', [created('web')]);
    expect(ends.update('u12', [])).toEqual([ended(created('web'))]);
    expect(ends.scopes()).toEqual(['u11']);
    expect(ends.end('u11')).toEqual([ended(created('cart'))]);
    expect(ends.scopes()).toEqual([]);
  });

  it('are told apart when only their constants differ', () => {
    const ends = createSeriesEnds();
    const labels = ['shop', 'cart', 'u11', 'cart', 'node-11'];
    const cpu: Point = { signal: containerRequests.cpu, labels, value: 0.1 };
    const memory: Point = { signal: containerRequests.memory, labels, value: 64 };
    ends.update('u11', [cpu, memory]);
    expect(ends.update('u11', [memory])).toEqual([ended(cpu)]);
  });

  it('are a waiting reason that is over, and not the counters beside it', () => {
    const ends = createSeriesEnds();
    const waiting = changed(cartPod, {
      status: { containerStatuses: [{ ...cartStatus, state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
    });
    ends.update('u11', pointsOfPod(waiting, usages));
    const after = ends.update('u11', pointsOfPod(cartPod, usages));
    expect(after.map((point) => point.signal.name)).toEqual(['kube_pod_container_status_waiting_reason']);
  });

  it('are not shown to scrapers', () => {
    expect(expose([ended(created('cart'))], 'kube-state-metrics', '').body).toBe('');
  });
});
