import { describe, expect, it } from 'vitest';
import { evictionMessage, evictionOrder } from '../../../../src/agent/pod/node/eviction-order.ts';
import {
  DEFAULT_THRESHOLDS,
  nextPressures,
  noPressure,
  shortagesOf,
  softShortages,
} from '../../../../src/agent/pod/node/pressure.ts';
import type { PodSpec } from '../../../../src/model/kubernetes.ts';

const MIB = 2 ** 20;
const low = { 'memory.available': { available: 50 * MIB, capacity: 8192 * MIB } };
const fine = { 'memory.available': { available: 500 * MIB, capacity: 8192 * MIB } };

// Source: kubernetes/pkg/kubelet/eviction/helpers_test.go
describe('the pressure on a node', () => {
  it('begins when a threshold is crossed, and ends five minutes after it was last seen crossed', () => {
    const crossed = (now: number, before = noPressure(0)) =>
      nextPressures(before, shortagesOf(low, DEFAULT_THRESHOLDS), now);
    const calm = (now: number, before: ReturnType<typeof crossed>) =>
      nextPressures(before, shortagesOf(fine, DEFAULT_THRESHOLDS), now);
    const begun = crossed(1000);
    expect(begun.MemoryPressure).toEqual({ status: true, since: 1000, observedAt: 1000 });
    const still = calm(200_000, begun);
    expect(still.MemoryPressure).toMatchObject({ status: true, since: 1000 });
    expect(calm(301_000, still).MemoryPressure).toMatchObject({ status: false, since: 301_000 });
    expect(begun.DiskPressure.status).toBe(false);
  });

  it('is of the disk below a tenth of it, and at most 1 GiB', () => {
    const disk = (available: number, capacity: number) =>
      shortagesOf({ 'nodefs.available': { available, capacity } }, DEFAULT_THRESHOLDS);
    expect(disk(0.5 * 2 ** 30, 4 * 2 ** 30)).toEqual([]);
    expect(disk(0.3 * 2 ** 30, 4 * 2 ** 30)).toMatchObject([{ pressure: 'DiskPressure' }]);
    expect(disk(2 * 2 ** 30, 1000 * 2 ** 30)).toEqual([]);
    expect(disk(0.9 * 2 ** 30, 1000 * 2 ** 30)).toMatchObject([{ threshold: 2 ** 30 }]);
  });

  it('is unknown, not there, where a signal cannot be read', () => {
    expect(shortagesOf({}, DEFAULT_THRESHOLDS)).toEqual([]);
  });
});

const pod = (uid: string, request: string | undefined, memoryMiB: number, more: Partial<PodSpec> = {}) => ({
  uid,
  spec: {
    containers: [{ name: 'app', ...(request && { resources: { requests: { memory: request } } }) }],
    ...more,
  },
  usage: { memoryBytes: memoryMiB * MIB, diskBytes: 10 * MIB, processes: memoryMiB },
  containers: [{ name: 'app', memoryBytes: memoryMiB * MIB }],
});

// Source: kubernetes/pkg/kubelet/eviction/helpers_test.go, TestOrderedByExceedsRequestMemory and others
describe('who is evicted first', () => {
  it('for memory: who uses more than requested, then the least important, then the most beyond the request', () => {
    const order = evictionOrder('MemoryPressure', [
      pod('within', '400Mi', 300),
      pod('a little over', '100Mi', 120),
      pod('far over', '100Mi', 400),
      pod('over and important', undefined, 900, { priority: 10 }),
    ]);
    expect(order.map(({ uid }) => uid)).toEqual([
      'far over',
      'a little over',
      'over and important',
      'within',
    ]);
  });

  it('never a pod critical to the system', () => {
    const critical = pod('dns', undefined, 900, { priorityClassName: 'system-node-critical' });
    expect(evictionOrder('MemoryPressure', [critical])).toEqual([]);
  });

  it('for the disk: nobody who keeps nothing on it', () => {
    const [keeps, empty] = [pod('keeps', undefined, 1), pod('empty', undefined, 1)];
    const order = evictionOrder('DiskPressure', [
      keeps,
      { ...empty, usage: { ...empty.usage, diskBytes: 4096 } },
    ]);
    expect(order.map(({ uid }) => uid)).toEqual(['keeps']);
  });

  it('for process ids: the least important, then who has most', () => {
    const order = evictionOrder('PIDPressure', [
      pod('many', undefined, 90),
      pod('few', undefined, 2),
      pod('important', undefined, 900, { priority: 5 }),
    ]);
    expect(order.map(({ uid }) => uid)).toEqual(['many', 'few', 'important']);
  });

  it('is told in the words of the kubelet', () => {
    const [shortage] = shortagesOf(low, DEFAULT_THRESHOLDS);
    expect(evictionMessage(shortage!, pod('leak', '100Mi', 400))).toBe(
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ' +
        'Container app was using 400Mi, request is 100Mi, has larger consumption of memory.',
    );
  });
});

// Source: kubernetes/pkg/kubelet/eviction/helpers.go, thresholdsFirstObservedAt and thresholdsMetGracePeriod
describe('a soft threshold', () => {
  const soft = { 'memory.available': { threshold: { amount: 100 * MIB }, graceMs: 60_000 } };

  it('counts when it was crossed for its whole grace period', () => {
    const first = softShortages(low, soft, {}, 1000);
    expect(first).toEqual({ shortages: [], since: { 'memory.available': 1000 } });
    expect(softShortages(low, soft, first.since, 60_999).shortages).toEqual([]);
    expect(softShortages(low, soft, first.since, 61_000).shortages).toMatchObject([
      { signal: 'memory.available', pressure: 'MemoryPressure' },
    ]);
  });

  it('begins anew after a moment in which it was not', () => {
    const { since } = softShortages(low, soft, {}, 1000);
    const calm = softShortages(fine, soft, since, 30_000);
    expect(calm).toEqual({ shortages: [], since: {} });
    expect(softShortages(low, soft, calm.since, 61_000).shortages).toEqual([]);
  });
});
