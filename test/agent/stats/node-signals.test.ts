import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diskUsageBytes } from '../../../src/agent/stats/disk-usage.ts';
import { readNodeSignals } from '../../../src/agent/stats/node-signals.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pv-disk-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(process.platform !== 'linux')('what the node has left', () => {
  it('is there of the disk and of process ids, and never more than there is in all', () => {
    const signals = readNodeSignals(folder, undefined);
    expect(Object.keys(signals)).toContain('nodefs.available');
    expect(Object.keys(signals)).toContain('pid.available');
    for (const { available, capacity } of Object.values(signals)) {
      expect(available).toBeGreaterThan(0);
      expect(available).toBeLessThanOrEqual(capacity);
    }
  });

  it('is absent where the folder is gone', () => {
    expect(readNodeSignals(join(folder, 'none'), undefined)).not.toHaveProperty(['nodefs.available']);
  });
});

describe('the disk usage of a folder', () => {
  it('is what du counts, each file once, no link followed', () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    writeFileSync(join(folder, 'a', 'file'), Buffer.alloc(300_000, 1));
    writeFileSync(join(folder, 'a', 'b', 'small'), 'x');
    linkSync(join(folder, 'a', 'file'), join(folder, 'a', 'b', 'again'));
    symlinkSync('/', join(folder, 'a', 'root'));
    const [kibibytes] = execFileSync('du', ['-s', '-k', folder], { encoding: 'utf8' }).split('\t');
    expect(diskUsageBytes(folder)).toBe(Number(kibibytes) * 1024);
  });

  it('is unknown where there is none', () => {
    expect(diskUsageBytes(join(folder, 'none'))).toBeUndefined();
  });
});
