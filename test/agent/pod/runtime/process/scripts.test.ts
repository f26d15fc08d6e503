import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { criPrefix, parseCriLine } from '../../../../../src/agent/pod/runtime/cri-line.ts';
import { completeEnvironment, execLines } from '../../../../../src/agent/pod/runtime/process/environment.ts';
import { submounts } from '../../../../../src/agent/pod/runtime/process/root-mounts.ts';
import { quote } from '../../../../../src/agent/pod/runtime/process/shell.ts';
import { bindEntry, printMountTable } from '../../../../../src/agent/pod/runtime/process/start-script.ts';

const word = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\0'));

describe('a word for the shell', () => {
  it('comes out as it went in, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
        const printed = execFileSync('/bin/sh', [
          '-c',
          `printf '%s\\0' ${words.map(quote).join(' ')}`,
        ]).toString();
        expect(printed.split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 50 },
    );
  });

  it('cannot hold a NUL', () => {
    expect(() => quote('a\0b')).toThrow(/NUL/);
  });
});

describe('the environment of a command', () => {
  it('reaches it whole, whatever names and values hold', () => {
    const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/[=\0]/.test(text));
    fc.assert(
      fc.property(fc.dictionary(name, word, { maxKeys: 8 }), (given) => {
        const environment = Object.entries(given).filter(([key]) => !/^(PATH|LD_.*)$/.test(key));
        const script = execLines(['/usr/bin/env', '-0'], environment, '/usr/bin/env').join('\n');
        const printed = execFileSync('/bin/sh', ['-c', script], { env: {} }).toString();
        expect(printed.split('\0').filter(Boolean).sort()).toEqual(
          environment.map(([key, value]) => `${key}=${value}`).sort(),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('is completed, not overruled; the later of two wins', () => {
    const environment = new Map(
      completeEnvironment(
        [
          ['PATH', '/mine'],
          ['A', '11'],
          ['A', '12'],
        ],
        '/node',
        'web',
      ),
    );
    expect(Object.fromEntries(environment)).toEqual({
      PATH: '/mine',
      HOME: '/root',
      HOSTNAME: 'web',
      A: '12',
    });
  });
});

describe('the mount table', () => {
  it('escapes what would split a field', () => {
    const entry = bindEntry({ source: '/a b', target: '/c\td\\e#', readOnly: true });
    expect(printMountTable([entry])).toBe('/.podvitals/a\\040b /c\\011d\\134e\\043 none bind,ro 0 0\n');
  });

  it("brings in other file systems of the host, outer ones first, and not the kernel's nor those to be hidden", () => {
    const line = (target: string, type: string) => `9 1 8:2 / ${target} rw - ${type} /dev/x rw`;
    const mountinfo = [
      line('/', 'ext4'),
      line('/home/data', 'xfs'),
      line('/home', 'ext4'),
      line('/proc', 'proc'),
      line('/dev/shm', 'tmpfs'),
      line('/run/user/0', 'ext4'),
      line('/usr', 'squashfs'),
      line('/srv/pv', 'ext4'),
      line('/my\\040disk', 'ext4'),
      line('/var/lib/docker/overlay2/3f/merged', 'overlay'),
      line('/opt', 'overlay'),
    ].join('\n');
    expect(submounts(mountinfo, ['/srv'])).toEqual(['/usr', '/opt', '/home', '/my disk', '/home/data']);
  });
});

describe('a CRI log line', () => {
  it('is printed and read', () => {
    const at = Date.UTC(2026, 10, 21, 8, 9, 10, 11);
    const prefix = criPrefix(at, 'stderr', 'F');
    expect(prefix).toBe('2026-11-21T08:09:10.011000000Z stderr F ');
    expect(parseCriLine(`${prefix}a  b`)).toEqual({ at, stream: 'stderr', text: 'a  b' });
    expect(parseCriLine(prefix)).toEqual({ at, stream: 'stderr', text: '' });
    for (const broken of ['', 'half a line', `${prefix.replace('stderr', 'stdin')}x`])
      expect(parseCriLine(broken)).toBeUndefined();
  });
});
