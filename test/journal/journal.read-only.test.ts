import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Journal, openJournal } from '../../src/journal/journal.ts';
import { createKeyValue, keyValueSchema } from '../../src/journal/key-value.ts';
import { createFakeClock, type FakeClock } from '../../src/util/clock.ts';
import { notRoot } from '../support/parts.ts';

let disk: string;
let clock: FakeClock;
let journal: Journal;
const path = () => join(disk, 'agent.db');
const open = () => openJournal(path(), { clock, schemas: [keyValueSchema] });
const names = (facts: ReturnType<typeof createKeyValue>) => facts.entries('').map(([key]) => key);

describe.skipIf(notRoot())('a journal on a disk that was read-only when it was opened', () => {
  const remount = (how: 'ro' | 'rw') => execFileSync('mount', ['-o', `remount,${how}`, disk]);

  beforeEach(async () => {
    disk = mkdtempSync(join(tmpdir(), 'podvitals-read-only-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
    clock = createFakeClock();
    journal = open();
    await createKeyValue(journal).set('before', 1);
    await journal.close();
    remount('ro');
    journal = open();
  });
  afterEach(async () => {
    await journal.close();
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true });
  });

  it('is read, and written by itself once the disk can be, also by statements made before', async () => {
    const facts = createKeyValue(journal);
    for (let i = 0; i < 3; i += 1) {
      await expect(facts.set('during', 1)).rejects.toMatchObject({
        code: 'JOURNAL_READ_ONLY',
        message: expect.stringMatching(/its disk is read-only.*mount -o remount,rw.*by itself/),
      });
      expect(names(facts)).toEqual(['before']);
      await clock.advance(1_000);
    }
    expect(journal.state()).toMatchObject({ kind: 'failed', code: 'JOURNAL_READ_ONLY' });
    remount('rw');
    await clock.advance(1_000);
    await facts.set('after', 1);
    await facts.set('again', 1);
    expect(journal.state()).toEqual({ kind: 'ok' });
    expect(names(facts)).toEqual(['after', 'again', 'before']);
    expect(open).toThrow(/is held by process \d+/);
    // Its log is moved into the file like any other's.
    await clock.advance(5_000);
    expect(journal.check()).toEqual([]);
    await journal.close();
    journal = open();
    expect(names(createKeyValue(journal))).toEqual(['after', 'again', 'before']);
  });

  it('waits while another process has it', async () => {
    remount('rw');
    const other = open();
    await clock.advance(1_000);
    const facts = createKeyValue(journal);
    await expect(facts.set('mine', 1)).rejects.toMatchObject({
      code: 'JOURNAL_LOCKED',
      message: expect.stringContaining('is held by process'),
    });
    await other.close();
    await clock.advance(1_000);
    await facts.set('mine', 1);
    expect(names(facts)).toEqual(['before', 'mine']);
  });

  it('says that it has to be opened anew when another process wrote it meanwhile, and writes nothing', async () => {
    remount('rw');
    const other = open();
    await createKeyValue(other).set('other', 1);
    await other.close();
    const facts = createKeyValue(journal);
    for (let i = 0; i < 2; i += 1) {
      await clock.advance(1_000);
      await expect(facts.set('mine', 1)).rejects.toMatchObject({
        code: 'JOURNAL_READ_ONLY',
        message: expect.stringMatching(/another process wrote it meanwhile; start podvitals again/),
      });
    }
    await journal.close();
    journal = open();
    expect(names(createKeyValue(journal))).toEqual(['before', 'other']);
  });
});

/** Why a file that is open cannot be made one that takes no more; false where it can. */
function cannotForbid(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-immutable-'));
  const file = join(folder, 'file');
  const opened = openSync(file, 'w');
  try {
    execFileSync('chattr', ['+i', file], { stdio: 'ignore' });
    writeSync(opened, 'x');
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code !== 'EPERM';
  } finally {
    try {
      execFileSync('chattr', ['-i', file], { stdio: 'ignore' });
    } catch {
      // It cannot be set either.
    }
    closeSync(opened);
    rmSync(folder, { recursive: true });
  }
}

// A file system that has the attribute, and looks at it with each write: ext4.
describe.skipIf(notRoot() || cannotForbid())('a journal whose disk takes no write any more', () => {
  const chattr = (how: '+i' | '-i') => execFileSync('chattr', [how, path(), `${path()}-wal`]);

  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), 'podvitals-immutable-'));
    clock = createFakeClock();
    journal = open();
  });
  afterEach(async () => {
    chattr('-i');
    await journal.close();
    rmSync(disk, { recursive: true });
  });

  it('is read, and written by itself once it takes them again', async () => {
    const facts = createKeyValue(journal);
    await facts.set('before', 1);
    chattr('+i');
    for (const size of [1, 4_000_000])
      await expect(facts.set('during', 'x'.repeat(size))).rejects.toMatchObject({
        code: 'JOURNAL_IO',
        message: expect.stringMatching(/dmesg.*each write tries again/),
      });
    expect(names(facts)).toEqual(['before']);
    chattr('-i');
    await facts.set('after', 1);
    expect(journal.state()).toEqual({ kind: 'ok' });
    expect(names(facts)).toEqual(['after', 'before']);
    expect(journal.check()).toEqual([]);
    await journal.close();
    journal = open();
    expect(names(createKeyValue(journal))).toEqual(['after', 'before']);
  });
});
