import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manifestTargets } from '../../src/cli/manifest-targets.ts';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-input-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a command says of an input that a slower program writes into the pipe of a shell. */
async function fromSlowPipe(words: readonly string[]): Promise<string> {
  const script = '{ sleep 2; echo "kind: 7"; } | "$@" 2>&1; true';
  const env = { ...process.env, PODVITALS_DATA_DIR: folder };
  const { stdout } = await promisify(execFile)('sh', ['-c', script, 'sh', ...NODE, ...words], { env });
  return stdout;
}

describe('what is read from standard input', () => {
  it('is waited for when a slower program writes it', async () => {
    const [applied, created, deleted, checked] = await Promise.all([
      fromSlowPipe(['apply', '-f', '-']),
      fromSlowPipe(['create', '-f', '-']),
      fromSlowPipe(['delete', '-f', '-']),
      fromSlowPipe(['rules', 'check']),
    ]);
    expect(applied).toMatch(/no agent answers/);
    expect(created).toMatch(/no agent answers/);
    expect(deleted).toMatch(/-: every document needs kind and metadata.name/);
    expect(checked).toMatch(/field "kind" is not known/);
  }, 60_000);
});

describe('the objects that a manifest names', () => {
  const targets = (text: string) => {
    const path = join(folder, 'objects.yaml');
    writeFileSync(path, text);
    return manifestTargets([path], { namespace: 'shop' });
  };

  it('are those of a List, too, as get prints one', async () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { kind: 'Pod', metadata: { name: 'a', namespace: 'other' } },
        { kind: 'Deployment', metadata: { name: 'b' } },
      ],
    };
    expect(await targets(JSON.stringify(list))).toEqual([
      { kind: 'Pod', namespace: 'other', name: 'a' },
      { kind: 'Deployment', namespace: 'shop', name: 'b' },
    ]);
  });

  it('are refused in words where the text is no YAML, or multiplies itself', async () => {
    await expect(targets('kind: Pod\nmetadata: [')).rejects.toThrow(/objects\.yaml:2: /);
    let bomb = 'a: &a [x,x,x,x,x,x,x,x,x]\n';
    for (const [before, name] of ['ab', 'bc', 'cd', 'de'])
      bomb += `${name}: &${name} [${`*${before},`.repeat(9)}]\n`;
    await expect(targets(bomb)).rejects.toThrow(/objects\.yaml:1: .*alias/i);
  });
});
