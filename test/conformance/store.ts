import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/collector/storage/storage.ts';
import type { PodEvent } from '../../src/model/event.ts';
import { encodeLabels, toLabels } from '../../src/model/labels.ts';
import type { Matcher } from '../../src/model/matcher.ts';
import type { AgentRecord, PodState } from '../../src/model/record.ts';
import { isStaleAt, wordsOf } from '../../src/model/stale-marker.ts';

export const START = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;

export const bytesOf = (labels: Record<string, string>) => encodeLabels(toLabels(labels));

/** Samples as text, in the order of time: `11@0 12@60 stale@120`, seconds since START. */
export function read(
  store: Store,
  matchers: readonly Matcher[],
  minT = START - 86_400_000,
  maxT = START + 864e5,
) {
  const found: Record<string, string> = {};
  for (const series of store.querier().select(matchers, minT, maxT)) {
    const { t, v, length } = series.samples(minT, maxT);
    const words = wordsOf(v);
    const texts: string[] = [];
    for (let i = 0; i < length; i += 1)
      texts.push(`${isStaleAt(words, i) ? 'stale' : v[i]}@${(t[i]! - START) / 1000}`);
    found[series.labels.map(([name, value]) => `${name}=${value}`).join(',')] = texts.join(' ');
  }
  return found;
}

export async function write(
  store: Store,
  labels: Record<string, string>,
  samples: readonly (readonly [number, number])[],
) {
  const appender = store.appender();
  const ref = appender.reference(bytesOf(labels));
  for (const [t, v] of samples) appender.append(ref, t, v);
  return appender.commit();
}

const named = (name: string): Matcher[] => [{ name: '__name__', op: '=', value: name }];

export const cart = {
  namespace: 'shop',
  name: 'cart-1',
  uid: 'u1',
  node: 'n1',
  workload: 'cart',
  workloadType: 'deployment',
} as const;
export const eventOf = (id: string, at: number, more: Partial<PodEvent> = {}): AgentRecord => ({
  kind: 'event',
  event: { id, at, pod: cart, type: 'Warning', reason: 'Died', message: 'exit code 1', ...more },
});
export const podOf = (id: string, at: number, more: Partial<PodState> = {}): AgentRecord => ({
  kind: 'pod',
  state: {
    id,
    at,
    pod: cart,
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'cart-1', namespace: 'shop', uid: 'u1', creationTimestamp: '2026-01-01T12:00:00Z' },
      spec: { containers: [] },
      status: { phase: 'Running', conditions: [], qosClass: 'BestEffort' },
    },
    verdict: { cause: 'None', failureMode: null, confidence: 'certain', summary: '', evidence: [], next: [] },
    deleted: false,
    ...more,
  },
});

/** What every store does. `create` makes an empty one whose clock says START. */
export function storeConformance(
  name: string,
  create: () => Promise<{ store: Store; dispose(): Promise<void> }>,
): void {
  describe(`${name}: samples`, () => {
    let store: Store;
    let dispose: () => Promise<void>;
    beforeEach(async () => {
      ({ store, dispose } = await create());
    });
    afterEach(() => dispose());

    it('shows a batch once it is committed, and not before', async () => {
      const appender = store.appender();
      appender.append(appender.reference(bytesOf({ __name__: 'requests_total', pod: 'a' })), START, 11);
      expect(read(store, named('requests_total'))).toEqual({});
      const committed = await appender.commit();
      expect([...committed.metricNames]).toEqual(['requests_total']);
      expect(committed).toMatchObject({ samples: 1, rejected: 0 });
      expect(read(store, named('requests_total'))).toEqual({ '__name__=requests_total,pod=a': '11@0' });
    });

    it('forgets a batch that is rolled back', async () => {
      const appender = store.appender();
      appender.append(appender.reference(bytesOf({ __name__: 'requests_total' })), START, 11);
      appender.rollback();
      expect(read(store, named('requests_total'))).toEqual({});
      expect(store.querier().labelNames([], START, START)).toEqual([]);
    });

    it('gives the same reference to the same labels, however their bytes are ordered', () => {
      const appender = store.appender();
      const canonical = bytesOf({ __name__: 'm', a: '1', b: '2' });
      const other = new Uint8Array([
        ...bytesOf({ b: '2' }),
        ...bytesOf({ a: '1' }),
        ...bytesOf({ __name__: 'm' }),
      ]);
      expect(appender.reference(other)).toBe(appender.reference(canonical));
      expect(appender.reference(other)).not.toBe(appender.reference(bytesOf({ __name__: 'm', a: '1' })));
    });

    it('keeps stale markers bit for bit, and any other NaN as a NaN', async () => {
      const appender = store.appender();
      const ref = appender.reference(bytesOf({ __name__: 'm' }));
      appender.append(ref, START, 11);
      appender.append(ref, START + 1000, Number.NaN);
      appender.appendStale(ref, START + 2000);
      appender.append(ref, START + 3000, 12);
      await appender.commit();
      expect(read(store, named('m'))).toEqual({ '__name__=m': '11@0 NaN@1 stale@2 12@3' });
      const [series] = store.querier().select(named('m'), START, START + 3000);
      const { v } = series!.samples(START, START + 3000);
      const words = wordsOf(v);
      expect([words[5], words[4]]).toEqual([0x7ff00000, 2]);
    });

    it('keeps infinities, negative zero, tiny and huge numbers', async () => {
      const values = [
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        -0,
        5e-324,
        1.7976931348623157e308,
        0.1 + 0.2,
      ];
      await write(
        store,
        { __name__: 'm' },
        values.map((v, i) => [START + i * 1000, v] as const),
      );
      const [series] = store.querier().select(named('m'), START, START + 9000);
      const { v, length } = series!.samples(START, START + 9000);
      expect([...v.subarray(0, length)].every((value, i) => Object.is(value, values[i]))).toBe(true);
    });

    it('answers inclusive bounds across many chunks', async () => {
      const samples = Array.from({ length: 1000 }, (_, i) => [START + i * 1000, i * 3] as const);
      await write(store, { __name__: 'm' }, samples);
      const texts = read(store, named('m'), START + 118_000, START + 481_000)['__name__=m']!.split(' ');
      expect(texts).toHaveLength(364);
      expect([texts[0], texts.at(-1)]).toEqual(['354@118', '1443@481']);
    });

    it('puts a late sample in its place, also in a chunk that was sealed', async () => {
      const samples = Array.from({ length: 300 }, (_, i) => [START + i * 2000, i] as const);
      await write(store, { __name__: 'm' }, samples);
      const committed = await write(store, { __name__: 'm' }, [[START + 3000, 77]]);
      expect(committed).toMatchObject({ samples: 1, rejected: 0 });
      expect(read(store, named('m'), START, START + 5000)).toEqual({ '__name__=m': '0@0 1@2 77@3 2@4' });
    });

    it('says nothing about the same sample twice, and rejects another value at a time already taken', async () => {
      await write(store, { __name__: 'm' }, [
        [START, 11],
        [START + 1000, 12],
      ]);
      expect(
        await write(store, { __name__: 'm' }, [
          [START, 11],
          [START + 1000, 12],
        ]),
      ).toMatchObject({ samples: 0, rejected: 0 });
      expect(
        await write(store, { __name__: 'm' }, [
          [START, 13],
          [START + 1000, 13],
        ]),
      ).toMatchObject({ samples: 0, rejected: 2 });
      expect(read(store, named('m'))).toEqual({ '__name__=m': '11@0 12@1' });
    });

    it('rejects what is later than the out-of-order window', async () => {
      await write(store, { __name__: 'm' }, [
        [START - 11 * MINUTE, 1],
        [START, 11],
      ]);
      const committed = await write(store, { __name__: 'm' }, [
        [START - 10 * MINUTE - 1, 5],
        [START - 10 * MINUTE, 6],
      ]);
      expect(committed).toMatchObject({ samples: 1, rejected: 1 });
      expect(read(store, named('m'))).toEqual({ '__name__=m': '1@-660 6@-600 11@0' });
    });

    it('selects by every kind of matcher; an absent label is an empty one', async () => {
      for (const [pod, zone] of [
        ['web-1', 'a'],
        ['web-2', 'b'],
        ['db-1', ''],
      ] as const)
        await write(store, { __name__: 'up', pod, zone }, [[START, 1]]);
      const pods = (...matchers: Matcher[]) =>
        [...store.querier().select([...named('up'), ...matchers], START, START)]
          .map((series) => series.labels.find(([name]) => name === 'pod')![1])
          .sort();
      expect(pods({ name: 'pod', op: '=', value: 'web-1' })).toEqual(['web-1']);
      expect(pods({ name: 'pod', op: '!=', value: 'web-1' })).toEqual(['db-1', 'web-2']);
      expect(pods({ name: 'pod', op: '=~', value: 'web-.*' })).toEqual(['web-1', 'web-2']);
      expect(pods({ name: 'pod', op: '=~', value: 'web' })).toEqual([]);
      expect(pods({ name: 'pod', op: '=~', value: 'web-1|db-1' })).toEqual(['db-1', 'web-1']);
      expect(pods({ name: 'pod', op: '!~', value: '(?i)WEB-[12]' })).toEqual(['db-1']);
      expect(pods({ name: 'zone', op: '=', value: '' })).toEqual(['db-1']);
      expect(pods({ name: 'zone', op: '!=', value: '' })).toEqual(['web-1', 'web-2']);
      expect(pods({ name: 'zone', op: '=~', value: 'a|' })).toEqual(['db-1', 'web-1']);
      expect(pods({ name: 'missing', op: '=', value: 'x' })).toEqual([]);
      expect(store.querier().labelNames(named('up'), START, START)).toEqual(['__name__', 'pod', 'zone']);
      expect(store.querier().labelValues('zone', [], START, START)).toEqual(['a', 'b']);
    });

    it('names a regular expression that does not parse', () => {
      expect(() => [
        ...store.querier().select([{ name: 'pod', op: '=~', value: 'a(' }], START, START),
      ]).toThrow(/regular expression "a\(" does not parse/);
    });

    it('refuses labels beyond its limits and series without any', () => {
      const appender = store.appender();
      expect(() => appender.reference(bytesOf({ __name__: 'm', a: 'x'.repeat(5000) }))).toThrow(
        /longer than 4096 bytes/,
      );
      expect(() => appender.reference(bytesOf({}))).toThrow(/no labels/);
      const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, 'x']));
      expect(() => appender.reference(bytesOf(many))).toThrow(/65 labels \(at most 64\)/);
    });

    it('refuses a time that is not whole milliseconds', () => {
      const appender = store.appender();
      const ref = appender.reference(bytesOf({ __name__: 'm' }));
      expect(() => appender.append(ref, START + 0.5, 1)).toThrow(/whole milliseconds/);
    });
  });

  describe(`${name}: records`, () => {
    let store: Store;
    let dispose: () => Promise<void>;
    beforeEach(async () => {
      ({ store, dispose } = await create());
    });
    afterEach(() => dispose());

    it('keeps each event once, and answers which were new', async () => {
      const first = await store.events.append([eventOf('e1', START), eventOf('e2', START + 1)]);
      const second = await store.events.append([eventOf('e2', START + 1), eventOf('e3', START + 2)]);
      expect(first.map((record) => (record as { event: PodEvent }).event.id)).toEqual(['e1', 'e2']);
      expect(second.map((record) => (record as { event: PodEvent }).event.id)).toEqual(['e3']);
      expect(store.events.events({}).map((event) => event.id)).toEqual(['e3', 'e2', 'e1']);
    });

    it('finds events by namespace, pod, uid, workload, container and time, newest first', async () => {
      const other = { ...cart, name: 'db-1', uid: 'u2', workload: 'db' };
      await store.events.append([
        eventOf('e1', START, { container: 'app' }),
        eventOf('e2', START + 1000, { pod: other }),
        eventOf('e3', START + 2000),
      ]);
      const ids = (query: Parameters<Store['events']['events']>[0]) =>
        store.events.events(query).map(({ id }) => id);
      expect(ids({ namespace: 'shop', pod: 'cart-1' })).toEqual(['e3', 'e1']);
      expect(ids({ uid: 'u2' })).toEqual(['e2']);
      expect(ids({ workload: 'db' })).toEqual(['e2']);
      expect(ids({ container: 'app' })).toEqual(['e1']);
      expect(ids({ sinceMs: START + 1000 })).toEqual(['e3', 'e2']);
      expect(ids({ untilMs: START + 1000 })).toEqual(['e2', 'e1']);
      expect(ids({ limit: 1 })).toEqual(['e3']);
      expect(ids({ namespace: 'other' })).toEqual([]);
    });

    it('finds events by what they are about, type and reason in any case, together with all else', async () => {
      const other = { ...cart, name: 'db-1', uid: 'u2', workload: 'db' };
      await store.events.append([
        eventOf('e1', START),
        eventOf('e2', START + 1000, { type: 'Normal', reason: 'Pulled', pod: other }),
        eventOf('e3', START + 1000, { object: { kind: 'Deployment', name: 'cart' }, reason: 'Scaled' }),
        eventOf('e4', START + 1000, { type: 'Normal', reason: 'Pulled' }),
        eventOf('e5', START + 2000, { reason: 'pulled' }),
      ]);
      type Query = Parameters<Store['events']['events']>[0];
      const ids = async (query: Query) => {
        const found = (await store.events.searchEvents(query)).map(({ id }) => id);
        expect(new Set(store.events.events(query).map(({ id }) => id))).toEqual(new Set(found));
        return found;
      };
      expect(await ids({})).toEqual(['e5', 'e4', 'e3', 'e2', 'e1']);
      expect(await ids({ reason: 'PULLED' })).toEqual(['e5', 'e4', 'e2']);
      expect(await ids({ reason: 'Pulled', type: 'normal' })).toEqual(['e4', 'e2']);
      expect(await ids({ reason: 'Pulled', uid: 'u1', untilMs: START + 1000 })).toEqual(['e4']);
      expect(await ids({ object: 'deployment' })).toEqual(['e3']);
      expect(await ids({ object: 'pod', type: 'warning' })).toEqual(['e5', 'e1']);
      expect(await ids({ workload: 'db' })).toEqual(['e2']);
      expect(await ids({ namespace: 'shop', pod: 'cart-1', sinceMs: START + 1000, type: 'Warning' })).toEqual(
        ['e5', 'e3'],
      );
      expect(await ids({ reason: 'none' })).toEqual([]);
      expect(await store.events.searchEvents({ reason: 'Pulled', limit: 2 })).toHaveLength(2);
    });

    it('keeps the newest state of a pod, whatever the order of arrival', async () => {
      await store.events.append([podOf('s2', START + 2000)]);
      expect(await store.events.append([podOf('s1', START + 1000)])).toEqual([]);
      expect(await store.events.append([podOf('s2', START + 2000)])).toEqual([]);
      expect(store.events.pods({}).map(({ id }) => id)).toEqual(['s2']);
      await store.events.append([podOf('s3', START + 3000, { deleted: true })]);
      expect(store.events.pods({})).toEqual([]);
      expect(store.events.pods({ deleted: true }).map(({ id }) => id)).toEqual(['s3']);
    });

    it('tells subscribers what was new after it is durable, until they unsubscribe', async () => {
      const heard: number[] = [];
      const stop = store.events.subscribe((records) => {
        heard.push(records.length);
        expect(store.events.events({})).toHaveLength(2);
      });
      await store.events.append([eventOf('e1', START), eventOf('e2', START)]);
      await store.events.append([eventOf('e1', START)]);
      stop();
      await store.events.append([eventOf('e3', START)]);
      expect(heard).toEqual([2]);
    });
  });

  describe(`${name}: small facts`, () => {
    it('keeps JSON by key, and lists by prefix in key order', async () => {
      const { store, dispose } = await create();
      try {
        await store.keyValue.set('alert/b', { since: 12 });
        await store.keyValue.set('alert/a', [11]);
        await store.keyValue.set('other', null);
        await store.keyValue.set('alert/c', 1);
        await store.keyValue.delete('alert/c');
        expect(store.keyValue.get('alert/b')).toEqual({ since: 12 });
        expect(store.keyValue.get('missing')).toBeUndefined();
        expect(store.keyValue.entries('alert/')).toEqual([
          ['alert/a', [11]],
          ['alert/b', { since: 12 }],
        ]);
      } finally {
        await dispose();
      }
    });
  });
}
