import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Journal, openJournal } from '../../src/journal/journal.ts';
import { createKeyValue, isSoundFact, keyValueSchema } from '../../src/journal/key-value.ts';
import { createQueue, queueSchema } from '../../src/journal/queue.ts';
import { createFakeClock } from '../../src/util/clock.ts';

let folder: string;
let path: string;
const clock = createFakeClock();
const opened: Journal[] = [];
const open = (schemas = [keyValueSchema, queueSchema]) => {
  const journal = openJournal(path, { clock, schemas });
  opened.push(journal);
  return journal;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-journal-'));
  path = join(folder, 'deep', 'agent.db');
});
afterEach(async () => {
  for (const journal of opened.splice(0)) await journal.close();
  rmSync(folder, { recursive: true });
});

describe('journal', () => {
  it('makes folder and file for its owner alone', () => {
    open();
    for (const file of [path, `${path}-wal`, `${path}.holder`])
      expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
  });

  it('says what to do where it cannot be made', () => {
    writeFileSync(join(folder, 'deep'), '');
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'JOURNAL_CANNOT_OPEN',
        message: expect.stringMatching(/agent\.db cannot be opened: .*; .*--data-dir/),
      }),
    );
  });

  it('keeps what was written across a reopening', async () => {
    const first = open();
    await createKeyValue(first).set('attempt/cart', { count: 11 });
    await first.close();
    expect(createKeyValue(open()).get('attempt/cart')).toEqual({ count: 11 });
  });

  it('commits the work of one turn in one transaction, in order', async () => {
    const journal = open();
    const insert = journal.prepare('INSERT INTO key_value (key, value) VALUES (?, ?)');
    const read = journal.prepare('SELECT count(*) AS n FROM key_value');
    const done: number[] = [];
    const all = [1, 2, 3].map((n) =>
      journal.write(() => insert.run(`k${n}`, '1')).then(() => done.push(n * 100 + Number(read.get()?.n))),
    );
    expect(read.get()?.n).toBe(0);
    await Promise.all(all);
    expect(done).toEqual([103, 203, 303]);
  });

  it('undoes work that throws, and only that', async () => {
    const journal = open();
    const insert = journal.prepare('INSERT INTO key_value (key, value) VALUES (?, ?)');
    const results = await Promise.allSettled([
      journal.write(() => insert.run('a', '1')),
      journal.write(() => {
        insert.run('b', '1');
        throw new Error('no');
      }),
      journal.write(() => insert.run('c', '1')),
    ]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(
      createKeyValue(journal)
        .entries('')
        .map(([key]) => key),
    ).toEqual(['a', 'c']);
  });

  it('writes what waits when it is closed, and refuses more', async () => {
    const journal = open();
    const set = createKeyValue(journal).set('k', 12);
    await journal.close();
    await set;
    await expect(journal.write(() => 0)).rejects.toThrow(/is closed/);
    expect(createKeyValue(open()).get('k')).toBe(12);
  });

  it('is held by one process: a second is told which', async () => {
    const script = `
      import { openJournal } from '${join(import.meta.dirname, '../../src/journal/journal.ts')}';
      import { systemClock } from '${join(import.meta.dirname, '../../src/util/clock.ts')}';
      openJournal(process.argv[1], { clock: systemClock, schemas: [] });
      console.log('open');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      expect(() => open()).toThrow(expect.objectContaining({ code: 'JOURNAL_LOCKED' }));
      expect(() => open()).toThrow(new RegExp(`agent\\.db is held by process ${child.pid} `));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    expect(open().state()).toEqual({ kind: 'ok' });
  });

  it('refuses a file of a newer version and leaves it as it is', async () => {
    const newer = {
      name: 'key_value',
      migrations: [...keyValueSchema.migrations, 'CREATE TABLE later (x) '],
    };
    await open([newer]).close();
    const before = readFileSync(path);
    expect(() => open()).toThrow(expect.objectContaining({ code: 'JOURNAL_TOO_NEW' }));
    expect(() => open()).toThrow(/has version 2 of 'key_value', this podvitals knows 1/);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('does not take a version that is damaged for a newer one: what is there is saved', async () => {
    const first = open([keyValueSchema]);
    await createKeyValue(first).set('k', 11);
    await first.close();
    const db = new DatabaseSync(path);
    db.exec('UPDATE schema_version SET version = 65');
    db.close();
    expect(() => open([keyValueSchema])).toThrow(/the version of 'key_value' is not what was written/);
    const mended = openJournal(path, { clock, schemas: [keyValueSchema], isSound: isSoundFact });
    opened.push(mended);
    expect(createKeyValue(mended).get('k')).toBe(11);
    expect(mended.state().damage).toContain('damaged');
  });

  it('brings an older file up to date', async () => {
    const first = open([keyValueSchema]);
    await createKeyValue(first).set('k', 11);
    await first.close();
    const newer = {
      name: 'key_value',
      migrations: [...keyValueSchema.migrations, 'CREATE TABLE later (x INTEGER)'],
    };
    const journal = open([newer]);
    expect(createKeyValue(journal).get('k')).toBe(11);
    expect(journal.prepare('SELECT count(*) AS n FROM later').get()?.n).toBe(0);
  });

  it('says that a file is no journal', () => {
    open().close();
    writeFileSync(path, 'x'.repeat(8192));
    expect(() => open()).toThrow(expect.objectContaining({ code: 'JOURNAL_NOT_A_JOURNAL' }));
  });

  it('shows a full disk as a state, keeps what it had, and goes on when there is room', async () => {
    const journal = open();
    const facts = createKeyValue(journal);
    await facts.set('small', 11);
    journal.prepare('PRAGMA max_page_count = 24').get();
    await expect(facts.set('large', 'x'.repeat(1_000_000))).rejects.toThrow(/the disk is full.*free space/);
    expect(journal.state()).toMatchObject({ kind: 'failed', code: 'JOURNAL_FULL', sinceMs: clock.now() });
    expect(facts.entries('')).toEqual([['small', 11]]);
    journal.prepare('PRAGMA max_page_count = 100000').get();
    await facts.set('large', 'x');
    expect(journal.state()).toEqual({ kind: 'ok' });
    expect(journal.check()).toEqual([]);
  });
});

describe('a damaged journal', () => {
  it('shows as a state when damaged pages are read, and names the file', async () => {
    const journal = open();
    const facts = createKeyValue(journal);
    for (let i = 0; i < 200; i += 1) void facts.set(`k${i}`, 'x'.repeat(1000));
    await journal.write(() => 0);
    await journal.close();
    const bytes = readFileSync(path);
    // The first pages hold the schema; what follows is data.
    for (let at = 8 * 4096; at < bytes.length; at += 97) bytes[at]! ^= 0xff;
    writeFileSync(path, bytes);
    const damaged = open();
    const read = () =>
      damaged.read(() => damaged.prepare('SELECT count(*), sum(length(value)) FROM key_value').get());
    expect(read).toThrow(expect.objectContaining({ code: 'JOURNAL_CORRUPT' }));
    expect(read).toThrow(/agent\.db is damaged .*restart podvitals/);
    expect(damaged.state()).toMatchObject({ kind: 'failed', code: 'JOURNAL_CORRUPT' });
    expect(damaged.check().length).toBeGreaterThan(0);
  });
});

describe('queue', () => {
  const entry = (kind: string, size: number) => ({ kind, items: 2, body: new Uint8Array(size).fill(7) });
  const make = (journal: Journal, dropped: string[] = []) =>
    createQueue(journal, {
      name: 'spool',
      clock,
      maxBytes: 100,
      maxAgeMs: 60_000,
      onDrop: (kind, items) => dropped.push(`${items} ${kind}`),
    });

  it('gives entries back in order, also after a reopening', async () => {
    const journal = open();
    const queue = make(journal);
    await queue.push(entry('a', 10));
    await queue.push(entry('b', 20));
    await queue.remove(queue.peek()!.position);
    await journal.close();
    const again = make(open());
    expect([again.length, again.bytes, again.peek()?.kind, again.peek()?.body.length]).toEqual([
      1,
      20,
      'b',
      20,
    ]);
  });

  it('lets the oldest go when it is full, and counts what they held', async () => {
    const dropped: string[] = [];
    const queue = make(open(), dropped);
    for (const kind of ['a', 'b', 'c']) await queue.push(entry(kind, 40));
    expect([queue.length, queue.peek()?.kind, dropped]).toEqual([2, 'b', ['2 a']]);
    await queue.push(entry('huge', 101));
    expect([queue.length, dropped]).toEqual([2, ['2 a', '2 huge']]);
  });

  it('lets go of what is too old', async () => {
    const dropped: string[] = [];
    const queue = make(open(), dropped);
    await queue.push(entry('old', 10));
    await clock.advance(60_001);
    await queue.push(entry('new', 10));
    expect([queue.peek()?.kind, dropped]).toEqual(['new', ['2 old']]);
  });
});
