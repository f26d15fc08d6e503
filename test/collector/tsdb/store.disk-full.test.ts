import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { eventOf, read, START, write } from '../../conformance/store.ts';
import { notRoot } from '../../support/parts.ts';

const NAMED = [{ name: '__name__', op: '=', value: 'm' }] as const;

describe.skipIf(notRoot())('durable store on a disk of two megabytes', () => {
  let folder: string;
  let store: Tsdb;
  const mount = (...options: string[]) => execFileSync('mount', [...options, folder]);
  const open = () => createStore({ path: join(folder, 'collector.db'), clock: createFakeClock(START) });
  const fill = () => {
    for (let size = 1 << 20; size >= 4096; ) {
      try {
        writeFileSync(join(folder, `ballast-${size}-${Math.random()}`), new Uint8Array(size));
      } catch {
        size /= 2;
      }
    }
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-disk-'));
    mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs');
    store = open();
  });
  afterEach(async () => {
    await store.close().catch(() => {});
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });

  it('says that the disk is full, goes on reading, and recovers when there is room', async () => {
    await write(store, { __name__: 'm' }, [[START, 11]]);
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, new Uint8Array(1 << 20));
    fill();
    const large = eventOf('large', START, { message: 'x'.repeat(500_000) });
    await expect(store.events.append([large])).rejects.toThrow(/the disk is full/);
    expect(store.state()).toMatchObject({ kind: 'failed', code: 'JOURNAL_FULL' });
    expect(read(store, NAMED)).toEqual({ '__name__=m': '11@0' });
    expect(store.events.events({})).toEqual([]);
    unlinkSync(ballast);
    await write(store, { __name__: 'm' }, [[START + 1000, 12]]);
    expect(store.state()).toEqual({ kind: 'ok' });
    await store.close();
    store = open();
    expect(read(store, NAMED)).toEqual({ '__name__=m': '11@0 12@1' });
  });

  it('starts when the disk is full, answers, and takes samples once there is room', async () => {
    await write(store, { __name__: 'm' }, [[START, 11]]);
    await store.close();
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, new Uint8Array(1 << 20));
    fill();
    store = open();
    expect(read(store, NAMED)).toEqual({ '__name__=m': '11@0' });
    const large = eventOf('large', START, { message: 'x'.repeat(500_000) });
    await expect(store.events.append([large])).rejects.toThrow(/the disk is full.*free space/);
    unlinkSync(ballast);
    await write(store, { __name__: 'm' }, [[START + 1000, 12]]);
    expect(store.state()).toEqual({ kind: 'ok' });
  });

  it('that cannot be written: starts as a crash left it, answers, says what to do, and goes on by itself', async () => {
    await write(store, { __name__: 'm' }, [[START, 11]]);
    // Copies, as the store that is killed would leave them: the sample is in the write-ahead log only.
    const crashed = join(folder, 'crashed.db');
    for (const end of ['', '-wal']) copyFileSync(join(folder, `collector.db${end}`), `${crashed}${end}`);
    await store.close();
    mount('-o', 'remount,ro');
    const clock = createFakeClock(START);
    store = createStore({ path: crashed, clock });
    expect(store.state()).toMatchObject({
      kind: 'failed',
      code: 'JOURNAL_READ_ONLY',
      message: expect.stringMatching(/its disk is read-only.*mount -o remount,rw .*by itself/),
    });
    expect(read(store, NAMED)).toEqual({ '__name__=m': '11@0' });
    await expect(write(store, { __name__: 'm' }, [[START + 1000, 12]])).rejects.toThrow(/read-only/);
    await store.maintain().catch(() => {});
    expect(read(store, NAMED)).toEqual({ '__name__=m': '11@0' });
    mount('-o', 'remount,rw');
    await clock.advance(1_000);
    await write(store, { __name__: 'm' }, [[START + 1000, 12]]);
    await write(store, { __name__: 'm', new: '1' }, [[START + 1000, 13]]);
    expect(store.state()).toEqual({ kind: 'ok' });
    const all = { '__name__=m': '11@0 12@1', '__name__=m,new=1': '13@1' };
    // Settled, and read from the file again.
    await clock.advance(2 * 3_600_000);
    await store.maintain();
    expect(read(store, NAMED)).toEqual(all);
    await store.close();
    store = createStore({ path: crashed, clock });
    expect(read(store, NAMED)).toEqual(all);
  });
});
