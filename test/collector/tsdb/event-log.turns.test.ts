import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { cart, eventOf, START } from '../../conformance/store.ts';
import { expectShortRounds, roundsDuring } from '../../support/rounds.ts';

const EVENTS = 30_000;
const PODS = 50;
const reasonOf = (i: number) => (i % 10_000 === 7 ? 'OOMKill' : 'Pulled');

describe('a search among very many events', () => {
  let folder: string;
  let store: Tsdb;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-events-'));
    store = createStore({ path: join(folder, 'collector.db'), clock: createFakeClock(START + EVENTS) });
    for (let from = 0; from < EVENTS; from += 1_000) {
      const some = Array.from({ length: 1_000 }, (_, i) => from + i);
      await store.events.append(
        some.map((i) => {
          const pod = { ...cart, name: `cart-${i % PODS}`, uid: `u${i % PODS}` };
          const message = `the container said ${'something '.repeat(40)}`;
          return eventOf(`e${i}`, START + i, { pod, reason: reasonOf(i), message });
        }),
      );
    }
  }, 120_000);
  afterAll(async () => {
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ofPod = (i: number) => ({ namespace: 'shop', pod: `cart-${i}` });
  it.each([
    ['a reason that is rare', { reason: 'oomkill', limit: 10_000 }, 3],
    ['what nobody has', { reason: 'Pulled', type: 'Normal', limit: 10_000 }, 0],
    ['what is rare in a namespace', { namespace: 'shop', container: 'app', limit: 10_000 }, 0],
    ['as many as may be asked for', { object: 'Pod', limit: 10_000 }, 10_000],
    ['all of a pod', { ...ofPod(3), limit: 10_000 }, EVENTS / PODS],
  ])('holds no other longer than a turn: %s', async (_, query, count) => {
    await store.events.searchEvents(query);
    const { result, roundsMs } = await roundsDuring(() => store.events.searchEvents(query));
    expect(result).toHaveLength(count);
    expect(result.every(({ at }, i) => i === 0 || at <= result[i - 1]!.at)).toBe(true);
    expectShortRounds(roundsMs);
  });
});
