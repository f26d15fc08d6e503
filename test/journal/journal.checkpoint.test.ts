import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Journal, openJournal } from '../../src/journal/journal.ts';
import { createKeyValue, keyValueSchema } from '../../src/journal/key-value.ts';
import { createFakeClock, type FakeClock } from '../../src/util/clock.ts';
import { notRoot } from '../support/parts.ts';

const text = (kib: number) => 'x'.repeat(kib * 1024);

describe.skipIf(notRoot())('a write-ahead log on a disk of sixteen megabytes', () => {
  let disk: string;
  let clock: FakeClock;
  let journal: Journal;
  const open = () => {
    const path = join(disk, 'agent.db');
    journal = openJournal(path, { clock, schemas: [keyValueSchema], mostLogBytes: 600 * 1024 });
    return createKeyValue(journal);
  };
  const fill = () => {
    for (let size = 1 << 20; size >= 1024; )
      try {
        writeFileSync(join(disk, `more-${Math.random()}`), new Uint8Array(size));
      } catch {
        size /= 2;
      }
  };

  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), 'podvitals-log-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
    clock = createFakeClock();
  });
  afterEach(async () => {
    await journal.close().catch(() => {});
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true });
  });

  it('that cannot be moved into the file again and again: told, bounded, and right by itself once it can', async () => {
    const facts = open();
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, new Uint8Array(2 << 20));
    // The log keeps this room on the disk; the file has to grow.
    await facts.set('first', text(1024));
    await clock.advance(5_000);
    expect(journal.state()).toEqual({ kind: 'ok' });
    fill();

    await facts.set('second', text(300));
    for (let i = 0; i < 3; i += 1) {
      await clock.advance(5_000);
      expect(journal.state()).toEqual({
        kind: 'ok',
        behind: expect.stringMatching(
          /agent\.db-wal, \d+ KiB, could not be moved.*the disk is full.*free space/,
        ),
      });
    }
    await facts.set('third', text(400));
    await clock.advance(5_000);
    expect(journal.state()).toMatchObject({ kind: 'failed', code: 'JOURNAL_LOG_FULL' });
    await expect(facts.set('fourth', 1)).rejects.toMatchObject({ code: 'JOURNAL_LOG_FULL', status: 503 });
    expect(facts.entries('').map(([key]) => key)).toEqual(['first', 'second', 'third']);

    unlinkSync(ballast);
    await clock.advance(5_000);
    expect(journal.state()).toEqual({ kind: 'ok' });
    await facts.set('fourth', 1);
    await journal.close();
    expect(
      open()
        .entries('')
        .map(([key]) => key),
    ).toEqual(['first', 'fourth', 'second', 'third']);
    expect(journal.check()).toEqual([]);
  });

  it('is moved into the file before it fills the disk, though no time goes by', async () => {
    const facts = open();
    for (let i = 0; i < 50; i += 1) await facts.set('one', text(1024) + i);
    // Fifty megabytes went through it.
    expect(statSync(join(disk, 'agent.db-wal')).size).toBeLessThan(12 << 20);
    expect(facts.get('one')).toHaveLength(1024 * 1024 + 2);
  });
});
