import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerInspection } from '../../../../src/agent/engines/podman/answers.ts';
import { type LogSource, logOfLife } from '../../../../src/agent/sources/podman/log-of-life.ts';

const at = (second: string) => Date.parse(`2026-01-01T00:00:${second}Z`);
const SPANS = [
  { attempt: 0, startedMs: at('11.100'), endedMs: at('14.100') },
  { attempt: 1, startedMs: at('14.400'), endedMs: at('17.900') },
  { attempt: 2, startedMs: at('17.950') },
];
/** The second and third life write before Podman tells that they have begun. */
const LINES = [
  ['11.200', 'first'],
  ['14.050', 'last words'],
  ['14.350', 'second'],
  ['17.910', 'third'],
] as const;

describe('the log of one of a container’s lives', () => {
  let folder: string;
  let source: LogSource;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-log-'));
    const path = join(folder, 'ctr.log');
    writeFileSync(
      path,
      LINES.map(([second, text]) => `2026-01-01T00:00:${second}000000Z stdout F ${text}\n`).join(''),
    );
    writeFileSync(join(folder, 'podman.sock'), '');
    source = {
      socket: join(folder, 'podman.sock'),
      client: {
        container: async () =>
          ({ HostConfig: { LogConfig: { Type: 'k8s-file', Path: path } } }) as ContainerInspection,
        async logs(_id, _options, onLine) {
          for (const [second, text] of LINES)
            onLine({ at: at(`${second.slice(0, 2)}.000`), stream: 'stdout', text });
        },
      },
    };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const texts = async (attempt: number, asked = {}) =>
    (await logOfLife(source, 'c11', SPANS, attempt, asked)).map(({ text }) => text);

  it('is told apart by the file, to the millisecond', async () => {
    expect(await texts(0)).toEqual(['first', 'last words']);
    expect(await texts(1)).toEqual(['second']);
    expect(await texts(2)).toEqual(['third']);
    expect(await texts(0, { tail: 1 })).toEqual(['last words']);
    expect(await texts(0, { sinceMs: at('14.000') })).toEqual(['last words']);
    expect(await texts(3)).toEqual([]);
  });

  it('is told apart by Podman’s seconds, and may hold its neighbour’s lines, where the file is another user’s', async () => {
    source = { ...source, socket: join(folder, 'nobody.sock') };
    expect(await texts(0)).toContain('first');
    expect(await texts(2)).toEqual(['third']);
  });
});
