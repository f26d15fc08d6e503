import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore } from '../../src/collector/tsdb/store.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { keyValueSchema } from '../../src/journal/key-value.ts';
import { queueSchema } from '../../src/journal/queue.ts';
import { createFakeClock } from '../../src/util/clock.ts';
import { bytesOf, eventOf, START } from '../conformance/store.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/format.md'), 'utf8');
const plain = (sql: string) =>
  sql
    .replace(/\s+/g, ' ')
    .replace(/\s*([(),;])\s*/g, '$1')
    .replace(/;$/, '')
    .trim();

/** A reader by the page's words alone: nothing of src/collector/tsdb but what wrote the file. */
function cursor(bytes: Uint8Array) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return {
    varint,
    zigzag() {
      const code = varint();
      return code % 2 === 1 ? -(code + 1) / 2 : code / 2;
    },
    byte: () => bytes[at++]!,
    take,
    text: () => Buffer.from(take(varint())).toString('utf8'),
    get done() {
      return at >= bytes.length;
    },
  };
}

function labelsIn(bytes: Uint8Array): Record<string, string> {
  const read = cursor(bytes);
  const labels: Record<string, string> = {};
  while (!read.done) labels[read.text()] = read.text();
  return labels;
}

type Sample = readonly [t: number, v: number];

function xorChunk(bytes: Uint8Array, count: number, firstT: number): Sample[] {
  let at = 0;
  const bits = (n: number) => {
    let value = 0n;
    for (let i = 0; i < n; i += 1, at += 1)
      value = (value << 1n) | BigInt((bytes[at >> 3]! >> (7 - (at & 7))) & 1);
    return value;
  };
  const float = (word: bigint) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, word);
    return view.getFloat64(0);
  };
  let value = bits(64);
  const samples: Sample[] = [[firstT, float(value)]];
  let t = firstT;
  let distance = 0;
  let lead = 0;
  let significant = 0;
  for (let i = 1; i < count; i += 1) {
    if (bits(1) === 1n) {
      const sizes = [14, 17, 20];
      const size = sizes.find(() => bits(1) === 0n);
      distance += size === undefined ? float(bits(64)) : Number(BigInt.asIntN(size, bits(size)));
    }
    t += distance;
    if (bits(1) === 1n) {
      if (bits(1) === 1n) {
        lead = Number(bits(5));
        significant = Number(bits(6)) || 64;
      }
      value ^= bits(significant) << BigInt(64 - lead - significant);
    }
    samples.push([t, float(value)]);
  }
  return samples;
}

function integerChunk(bytes: Uint8Array, count: number, firstT: number, lastT: number): Sample[] {
  const read = cursor(bytes);
  const times = [firstT];
  if (read.byte() === 1) {
    for (let i = 1; i < count; i += 1) times.push(firstT + ((lastT - firstT) / (count - 1)) * i);
  } else {
    let distance = 0;
    for (let i = 1; i < count; i += 1) {
      distance += read.zigzag();
      times.push(times.at(-1)! + distance);
    }
  }
  const values = [read.zigzag()];
  while (values.length < count) {
    const difference = read.zigzag();
    values.push(values.at(-1)! + difference);
    if (difference === 0) for (let more = read.varint(); more > 0; more -= 1) values.push(values.at(-1)!);
  }
  return times.map((t, i) => [t, values[i]!]);
}

function frames(body: Uint8Array, minT: number): Sample[] {
  const read = cursor(body);
  const samples: Sample[] = [];
  let before = minT;
  while (!read.done) {
    const encoding = read.byte();
    const count = read.varint();
    const first = before + read.varint();
    before = first + read.varint();
    const bytes = read.take(read.varint());
    samples.push(
      ...(encoding === 1 ? integerChunk(bytes, count, first, before) : xorChunk(bytes, count, first)),
    );
  }
  return samples;
}

function batch(body: Uint8Array): (readonly [ref: number, t: number, v: number])[] {
  const read = cursor(body);
  const count = read.varint();
  let ref = 0;
  let t = 0;
  return Array.from({ length: count }, () => {
    ref += read.zigzag();
    t += read.zigzag();
    const words = read.take(8);
    return [ref, t, new DataView(words.buffer, words.byteOffset).getFloat64(0, true)] as const;
  });
}

describe('docs/format.md', () => {
  let folder: string;
  let db: DatabaseSync;
  // Whole numbers evenly spaced with runs, whole numbers at odd times, fractions, and one with leaps of time.
  const written: Readonly<Record<string, Sample[]>> = {
    even: Array.from({ length: 500 }, (_, i) => [START + i * 15_000, Math.floor(i / 7) * 3 - 40]),
    odd: Array.from({ length: 500 }, (_, i) => [START + i * 15_000 + ((i * 7919) % 1000), i * i]),
    fractions: Array.from({ length: 500 }, (_, i) => [START + i * 15_000 + (i % 3), Math.sin(i) / 3]),
    leaps: Array.from({ length: 60 }, (_, i) => [
      START + i * i * 2_000 + (i % 2) * 1_700,
      i % 4 === 0 ? 0.1 : -i,
    ]),
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-format-'));
    const path = join(folder, 'collector.db');
    const clock = createFakeClock(START + 500 * 15_000);
    const store = createStore({ path, clock });
    const appender = store.appender();
    for (const [name, samples] of Object.entries(written))
      for (const [t, v] of samples)
        appender.append(appender.reference(bytesOf({ __name__: name, pod: 'cart-é' })), t, v);
    await appender.commit();
    await store.events.append([eventOf('e1', START)]);
    await store.keyValue.set('someone/fact', { a: 1 });
    await store.maintain();
    // As it is while it is in use: batches are there as well.
    for (const end of ['', '-wal']) copyFileSync(`${path}${end}`, join(folder, `read.db${end}`));
    await store.close();
    db = new DatabaseSync(join(folder, 'read.db'));
  }, 60_000);
  afterAll(() => {
    db?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has every table, index and trigger of a new file word for word, and no other', async () => {
    const agent = join(folder, 'agent.db');
    await openJournal(agent, { clock: createFakeClock(), schemas: [keyValueSchema, queueSchema] }).close();
    const other = new DatabaseSync(agent);
    const all = [db, other].flatMap((one) =>
      one.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'sqlite_sequence'").all(),
    );
    other.close();
    const shown = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].flatMap((match) =>
      match[1]!.trim().split('\n'),
    );
    expect(shown.map(plain).sort()).toEqual([...new Set(all.map(({ sql }) => plain(String(sql))))].sort());
  });

  it('has the versions of all components', () => {
    const shown = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (?:both|`collector.db`)/gm)];
    const versions = db.prepare('SELECT name, version FROM schema_version').all();
    expect(Object.fromEntries(shown.map((match) => [match[1], Number(match[2])]))).toEqual(
      Object.fromEntries(versions.map(({ name, version }) => [name, version])),
    );
  });

  const seriesOf = (name: string) => {
    const rows = db.prepare('SELECT ref, labels, crc FROM series').all();
    const row = rows.find(({ labels }) => labelsIn(labels as Uint8Array).__name__ === name)!;
    return { ref: Number(row.ref), labels: row.labels as Uint8Array, crc: row.crc };
  };

  it.each(Object.keys(written))('tells how to read the chunks of a series (%s)', (name) => {
    const { ref, labels, crc } = seriesOf(name);
    expect(labelsIn(labels)).toEqual({ __name__: name, pod: 'cart-é' });
    expect(crc).toBe(crc32(labels, crc32(`${ref}`)));
    const rows = db.prepare('SELECT * FROM chunk WHERE ref = ? ORDER BY min_t').all(ref);
    const samples = rows.flatMap(({ min_t, max_t, count, layout, body, crc: sum }) => {
      expect(sum).toBe(crc32(body as Uint8Array, crc32(`${ref},${min_t},${max_t},${count},${layout}`)));
      const found = frames(body as Uint8Array, Number(min_t));
      expect(found.length).toBe(count);
      expect(found.at(-1)![0]).toBe(max_t);
      return found;
    });
    expect(samples.length).toBeGreaterThan(20);
    expect(samples).toEqual(written[name]!.slice(0, samples.length));
  });

  it('tells how to read a batch', () => {
    const rows = db.prepare('SELECT * FROM batch').all();
    expect(rows.length).toBeGreaterThan(0);
    const [{ body, max_t, crc }] = rows as [{ body: Uint8Array; max_t: number; crc: number }];
    expect(crc).toBe(crc32(body, crc32(`${max_t}`)));
    const { ref } = seriesOf('fractions');
    const samples = batch(body).filter((sample) => sample[0] === ref);
    expect(samples.map(([, t, v]) => [t, v])).toEqual(written.fractions);
  });

  it('tells how to read a summary', () => {
    const rows = db.prepare('SELECT s.*, max_t, count FROM summary s JOIN chunk USING (ref, min_t)').all();
    expect(rows.length).toBeGreaterThan(0);
    for (const { ref, min_t, max_t, count, body, crc } of rows) {
      const bytes = body as Uint8Array;
      expect(crc).toBe(crc32(bytes, crc32(`${ref},${min_t},${max_t}`)));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      expect([0, 1, 3].map((i) => view.getFloat64(i * 8, true))).toEqual([count, min_t, max_t]);
    }
  });

  it('tells how to read records and facts', () => {
    const [record] = db.prepare('SELECT * FROM record').all();
    expect(JSON.parse(String(record!.body))).toMatchObject({ kind: 'event', event: { id: 'e1' } });
    expect(record!.crc).toBe(crc32(String(record!.body), crc32('e1')));
    expect(db.prepare('SELECT value FROM key_value').all()).toEqual([
      Object.assign(Object.create(null), { value: '{"a":1}' }),
    ]);
  });
});
