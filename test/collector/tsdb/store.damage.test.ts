import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { isCodedError } from '../../../src/util/coded-error.ts';
import { bytesOf, eventOf, START } from '../../conformance/store.ts';
import { createRandom, freshSeed, type Random } from '../../support/random.ts';

const SERIES = 40;
const BATCHES = 500;
const STEP_MS = 15_000;
const END = START + BATCHES * STEP_MS;
const EVENTS = 300;
const ANY = [{ name: '__name__', op: '=', value: 'm' }] as const;

const clockAt = (ms: number) => createFakeClock(ms);
const valueAt = (series: number, n: number) => series * 1000 + n * (series % 2 === 0 ? 1 : 1.5);

/** A store as a crash leaves it: series, chunks, batches and events, half of it in the write-ahead log. */
async function makeStore(path: string): Promise<Tsdb> {
  let now = START;
  const fake = createFakeClock(START);
  const store = createStore({ path, clock: { ...fake, now: () => now } });
  for (let n = 0; n < BATCHES; n += 1) {
    now = START + n * STEP_MS;
    const appender = store.appender();
    for (let series = 0; series < SERIES; series += 1)
      appender.append(
        appender.reference(bytesOf({ __name__: 'm', series: String(series), pod: `cart-${series}` })),
        now,
        valueAt(series, n),
      );
    const events =
      n < EVENTS ? store.events.append([eventOf(`e${n}`, now, { message: `event ${n}` })]) : undefined;
    await Promise.all([appender.commit(), events]);
    if (n % 100 === 99) await store.maintain();
    // What has been written is moved into the file once, and the log begins again.
    if (n === BATCHES / 2) await fake.advance(10_000);
  }
  await store.keyValue.set('fact', { kept: true });
  return store;
}

/** Reads all there is; what is read must be what was written. Answers how many samples and events that is. */
function readAll(store: Tsdb): { readonly samples: number; readonly events: number } {
  let samples = 0;
  let events = 0;
  const attempt = (read: () => void) => {
    try {
      read();
    } catch (error) {
      // Damage that is met while reading is told with what to do.
      if (!isCodedError(error)) throw error;
      expect(error.message).toMatch(/restart podvitals/);
    }
  };
  attempt(() => {
    for (const series of store.querier().select(ANY, START, END)) {
      const number = Number(series.labels.find(([name]) => name === 'series')![1]);
      attempt(() => {
        const { t, v, length } = series.samples(START, END);
        for (let i = 0; i < length; i += 1) expect(v[i]).toBe(valueAt(number, (t[i]! - START) / STEP_MS));
        samples += length;
      });
    }
  });
  attempt(() => {
    for (const event of store.events.events({ limit: 10_000 })) {
      expect(event.message.length).toBeLessThan(20);
      events += 1;
    }
  });
  return { samples, events };
}

describe('a damaged file', () => {
  let folder: string;
  let pristine: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-damage-'));
    const live = join(folder, 'live', 'collector.db');
    pristine = join(folder, 'pristine.db');
    const store = await makeStore(live);
    for (const end of ['', '-wal']) copyFileSync(`${live}${end}`, `${pristine}${end}`);
    await store.close();
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  let copies = 0;
  const copy = () => {
    copies += 1;
    const path = join(folder, `copy-${copies}`, 'collector.db');
    createStore({ path, clock: clockAt(END) }).close();
    for (const end of ['', '-wal']) copyFileSync(`${pristine}${end}`, `${path}${end}`);
    return path;
  };
  const flip = (path: string, random: Random, times: number, from = 0) => {
    const bytes = readFileSync(path);
    for (let i = 0; i < times; i += 1)
      bytes[random.integer(from, bytes.length - 1)]! ^= 1 << random.integer(0, 7);
    writeFileSync(path, bytes);
  };

  /** Opens, reads, writes, starts again, and reads what there is then. */
  async function live(path: string, why: string) {
    const first = createStore({ path, clock: clockAt(END) });
    readAll(first);
    const write = async (store: Tsdb, t: number) => {
      const appender = store.appender();
      appender.append(appender.reference(bytesOf({ __name__: 'after' })), t, 1);
      return appender.commit();
    };
    const taken = await write(first, END).then(
      () => true,
      (error: unknown) => {
        expect(isCodedError(error) && error.message, why).toMatch(/restart podvitals/);
        return false;
      },
    );
    await first.maintain().catch((error: unknown) => expect(isCodedError(error), why).toBe(true));
    const told = first.state();
    await first.close();
    const second = createStore({ path, clock: clockAt(END) });
    const found = readAll(second);
    await write(second, END + 1000);
    expect(second.state().kind, why).toBe('ok');
    const after = second.querier().select([{ name: '__name__', op: '=', value: 'after' }], END, END + 1000);
    const kept = [...after].reduce((sum, series) => sum + series.samples(END, END + 1000).length, 0);
    expect(kept, why).toBe(taken ? 2 : 1);
    await second.close();
    return { found, told, damage: second.state().damage };
  }

  it('none: all is read', async () => {
    const { found, damage } = await live(copy(), 'untouched');
    expect(found).toEqual({ samples: SERIES * BATCHES, events: EVENTS });
    expect(damage).toBeUndefined();
  });

  const seed = freshSeed();
  it(`with bytes flipped anywhere, twenty times: it starts, nothing read is wrong, it is told, it goes on (seed ${seed})`, {
    timeout: 300_000,
  }, async () => {
    const random = createRandom(seed);
    let samples = 0;
    let told = 0;
    for (let round = 0; round < 20; round += 1) {
      const path = copy();
      flip(path, random, random.integer(1, 30), 100);
      const { found, damage } = await live(path, `seed ${seed}, round ${round}`);
      samples += found.samples;
      if (damage !== undefined) told += 1;
    }
    expect(samples / (20 * SERIES * BATCHES), `seed ${seed}`).toBeGreaterThan(0.7);
    expect(told).toBeGreaterThan(3);
  });

  it(`with bytes flipped in the write-ahead log: what was committed behind them is still read (seed ${seed})`, {
    timeout: 300_000,
  }, async () => {
    const random = createRandom(seed);
    let whole = 0;
    for (let round = 0; round < 10; round += 1) {
      const path = copy();
      flip(`${path}-wal`, random, 1, 32);
      const { found } = await live(path, `seed ${seed}, round ${round}`);
      if (found.samples > SERIES * BATCHES * 0.9) whole += 1;
    }
    expect(whole, `seed ${seed}`).toBeGreaterThanOrEqual(7);
  });

  it(`cut off at any length: it starts with what is left (seed ${seed})`, { timeout: 300_000 }, async () => {
    const random = createRandom(seed);
    for (let round = 0; round < 10; round += 1) {
      const path = copy();
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.subarray(0, random.integer(0, bytes.length)));
      if (random.chance(0.5)) rmSync(`${path}-wal`);
      await live(path, `seed ${seed}, round ${round}`);
    }
  });

  it('in a row of chunks whose summary is sound: long ranges do not count it either, once it was looked at', async () => {
    const path = join(folder, 'chunk', 'collector.db');
    const begin = END - 3 * 86_400_000;
    const store = createStore({ path, clock: clockAt(END) });
    const appender = store.appender();
    const ref = appender.reference(bytesOf({ __name__: 'long' }));
    for (let t = begin; t <= END; t += 15_000) appender.append(ref, t, Math.sqrt(t));
    const { samples } = await appender.commit();
    await store.maintain();
    await store.close();
    const db = new DatabaseSync(path);
    const rows = db.prepare('SELECT min_t AS minT, count, body FROM chunk ORDER BY min_t').all();
    expect(rows.length).toBeGreaterThan(4);
    const { minT, count, body } = rows[2]!;
    (body as Uint8Array)[100]! ^= 1;
    db.prepare('UPDATE chunk SET body = ? WHERE min_t = ?').run(body as Uint8Array, Number(minT));
    db.close();

    const again = createStore({ path, clock: clockAt(END) });
    const counted = () => {
      const [series] = again.querier().select([{ name: '__name__', op: '=', value: 'long' }], begin, END);
      return series!.summary!(begin, END).count;
    };
    expect(again.state().damage).toBeUndefined();
    await again.maintain();
    expect(counted()).toBe(samples - Number(count));
    expect(again.state().damage).toMatch(/a row of chunk .* is not what was written/);
    await again.close();
  });

  it('is kept aside, and told with where it is', async () => {
    const path = copy();
    writeFileSync(path, Buffer.alloc(8192, 'x'));
    rmSync(`${path}-wal`);
    const { damage } = await live(path, 'not a database');
    expect(damage).toBeUndefined();
    const kept = readdirSync(join(path, '..')).filter((name) =>
      /^collector\.db\.damaged-\d{8}T\d{6}Z$/.test(name),
    );
    expect(kept).toHaveLength(1);
    const other = copy();
    writeFileSync(other, Buffer.alloc(8192, 'x'));
    const store = createStore({ path: other, clock: clockAt(END) });
    expect(store.state()).toMatchObject({
      kind: 'ok',
      damage: expect.stringMatching(/was damaged.*kept at .*damaged-/),
    });
    await store.close();
  });

  it('that was salvaged but for the last step is found at the next start', async () => {
    const path = copy();
    const store = createStore({ path, clock: clockAt(END) });
    await store.close();
    writeFileSync(`${path}.salvaged`, readFileSync(path));
    rmSync(path);
    const again = createStore({ path, clock: clockAt(END) });
    expect(readAll(again).samples).toBe(SERIES * BATCHES);
    expect(existsSync(`${path}.salvaged`)).toBe(false);
    await again.close();
  });
});
