import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOST_OUTPUT_BYTES } from '../../../../../src/agent/pod/runtime/process/shim-script.ts';
import type { LogLine } from '../../../../../src/model/life.ts';
import { notRoot } from '../../../../support/parts.ts';
import { createTestRuntime, type TestRuntime, until } from '../../../../support/process-pods.ts';

const MIB = 1024 * 1024;

describe.skipIf(notRoot())('logs of the process runtime', () => {
  let pods: TestRuntime;
  beforeAll(async () => {
    pods = await createTestRuntime();
    await pods.pod('talker');
  });
  afterAll(() => pods.dispose());

  const logFolder = (container: string) =>
    join(pods.owner.dataDir, 'logs/pods/shop_talker_talker', container);
  const sizeOf = (folder: string) =>
    readdirSync(folder).reduce(
      (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );

  it('lie in files as the CRI has them', async () => {
    await pods.run('talker', ['sh', '-c', 'echo one; echo; echo two >&2; printf three'], { name: 'cri' });
    const lines = readFileSync(join(logFolder('cri'), '0.log'), 'utf8')
      .trimEnd()
      .split('\n')
      .sort();
    const texts = lines.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /, ''));
    expect(texts.sort()).toEqual(['stderr F two', 'stdout F ', 'stdout F one', 'stdout P three']);
  });

  it('split a long line into parts of 16 KiB', async () => {
    await pods.run('talker', ['sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; echo; echo short'], {
      name: 'long',
    });
    const lines = readFileSync(join(logFolder('long'), '0.log'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '));
    expect(lines.map(([, , tag, text]) => [tag, text!.length])).toEqual([
      ['P', 16384],
      ['P', 16384],
      ['F', 7232],
      ['F', 5],
    ]);
  });

  it('give the last lines, and those since a time', async () => {
    const { exit } = await pods.run('talker', ['sh', '-c', 'seq 1 5000'], { name: 'tail' });
    const read = (options: object) => pods.runtime.logs('talker', 'tail', 0, options);
    expect((await read({ tail: 3 })).map((line) => line.text)).toEqual(['4998', '4999', '5000']);
    expect((await read({})).map((line) => line.text)).toEqual(
      Array.from({ length: 5000 }, (_, index) => String(index + 1)),
    );
    expect(await read({ sinceMs: exit.finishedAt + 60_000 })).toEqual([]);
    expect(await pods.runtime.logs('talker', 'tail', 7, {})).toEqual([]);
  });

  it('keep each life apart', async () => {
    await pods.run('talker', ['echo', 'first'], { name: 'lives' });
    await pods.run('talker', ['echo', 'second'], { name: 'lives' });
    const texts = async (attempt: number) =>
      (await pods.runtime.logs('talker', 'lives', attempt, {})).map((line) => line.text);
    expect([await texts(0), await texts(1)]).toEqual([['first'], ['second']]);
  });

  it('stay when the container is removed', async () => {
    const { exit } = await pods.run('talker', ['echo', 'last words'], { name: 'stays' });
    await pods.runtime.removeContainer(exit.containerId);
    expect((await pods.runtime.logs('talker', 'stays', 0, {}))[0]?.text).toBe('last words');
  });

  it('can be followed to the end of the life', async () => {
    const container = await pods.start('talker', ['sh', '-c', 'read go < /gate/pipe; seq 1 200; echo bye'], {
      name: 'followed',
      mounts: [{ source: gate(), target: '/gate', readOnly: false }],
    });
    const lines: LogLine[] = [];
    const following = pods.runtime.followLogs(
      'talker',
      'followed',
      0,
      (line) => void lines.push(line),
      new AbortController().signal,
    );
    await pods.runtime.exec(container.id, ['sh', '-c', 'echo go > /gate/pipe'], { timeoutMs: 10_000 });
    await following;
    expect(lines.map((line) => line.text)).toEqual([
      ...Array.from({ length: 200 }, (_, index) => String(index + 1)),
      'bye',
    ]);
  });

  it('are no longer followed after the abort', async () => {
    const container = await pods.start('talker', ['sleep', '1000'], { name: 'aborted' });
    const abort = new AbortController();
    const following = pods.runtime.followLogs('talker', 'aborted', 0, () => undefined, abort.signal);
    abort.abort();
    await following;
    await pods.runtime.stopContainer(container.id, 0);
  });

  const LINE = 'line %.0f of some length to fill the file with';

  it('are rotated and keep the newest lines whole', async () => {
    await pods.run(
      'talker',
      // In pieces: what comes faster than a busy agent can take it is dropped, as the next test says.
      [
        'sh',
        '-c',
        `for n in 0 1 2 3 4 5 6; do seq -f "${LINE}" $((n * 50000 + 1)) $((n * 50000 + 50000)); sleep 1; done`,
      ],
      { name: 'rotated' },
    );
    expect(readdirSync(logFolder('rotated')).sort()).toEqual(['0.log', '0.log.1']);
    expect(sizeOf(logFolder('rotated'))).toBeLessThan(21 * MIB);
    const tail = await pods.runtime.logs('talker', 'rotated', 0, { tail: 50_000 });
    expect(tail).toHaveLength(50_000);
    expect(tail[0]!.text).toBe('line 300001 of some length to fill the file with');
    expect(tail.at(-1)!.text).toBe('line 350000 of some length to fill the file with');
  });

  it('take bounded room under a flood, and its last words are kept', async () => {
    const container = await pods.start(
      'talker',
      ['sh', '-c', 'timeout 3 yes abcdefghijklmnopqrstuvwxyz; echo; echo last; exit 9'],
      { name: 'flood' },
    );
    const raw = join(pods.owner.dataDir, 'pods/talker/runtime', `flood-${container.attempt}`, 'output');
    let most = 0;
    await until('the exit', () => {
      most = Math.max(most, sizeOf(raw));
      return pods.exits.some((exit) => exit.containerId === container.id);
    });
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(MOST_OUTPUT_BYTES);
    expect(sizeOf(logFolder('flood'))).toBeLessThan(21 * MIB);
    expect((await pods.runtime.logs('talker', 'flood', 0, { tail: 1 }))[0]?.text).toBe('last');
  });

  function gate(): string {
    const folder = join(pods.runtime.podDirectory('talker'), 'gate');
    mkdirSync(folder, { recursive: true });
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    return folder;
  }
});
