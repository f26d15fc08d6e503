import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningContainer } from '../../../../../src/agent/pod/runtime/runtime.ts';
import { findDebris } from '../../../../support/debris.ts';
import { notRoot } from '../../../../support/parts.ts';
import { createTestRuntime, type TestRuntime, until } from '../../../../support/process-pods.ts';

describe.skipIf(notRoot())('exec in a container of the process runtime', () => {
  let pods: TestRuntime;
  let container: RunningContainer;
  const exec = (command: readonly string[], timeoutMs = 20_000) =>
    pods.runtime.exec(container.id, command, { timeoutMs });
  const running = (text: string) => findDebris(pods.owner).processes.filter((line) => line.includes(text));

  beforeAll(async () => {
    pods = await createTestRuntime();
    await pods.pod('web');
    container = await pods.start('web', ['sh', '-c', 'echo mine > /etc/mark; exec sleep 1000'], {
      env: [
        ['dotted.name', 'a b'],
        ['SECRET', "it's"],
      ],
      workingDir: '/etc',
      memoryLimitBytes: 64 << 20,
    });
    await until('the mark', async () => (await exec(['test', '-s', 'mark'])).exitCode === 0);
  });
  afterAll(() => pods.dispose());

  it('runs beside its processes, in its root, directory, environment and network', async () => {
    const result = await exec(['sh', '-c', 'cat mark; pwd; hostname; printenv SECRET; cat /proc/1/cmdline']);
    expect(result).toEqual({
      exitCode: 0,
      stdout: "mine\n/etc\nweb\nit's\nsleep\0".concat('1000\0'),
      stderr: '',
      timedOut: false,
    });
    // A shell would drop a name that is no identifier.
    expect((await exec(['printenv', 'dotted.name'])).stdout).toBe('a b\n');
  });

  it('gives exit code and both streams', async () => {
    expect(await exec(['sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
      exitCode: 7,
      stdout: 'out\n',
      stderr: 'err\n',
      timedOut: false,
    });
    expect((await exec(['sh', '-c', 'kill -9 $$'])).exitCode).toBe(137);
    expect((await exec(['no-such-command'])).exitCode).toBe(127);
  });

  it('keeps the first 16 KiB of a stream', async () => {
    const { stdout, exitCode } = await exec(['sh', '-c', 'head -c 1000000 /dev/zero | tr "\\0" x; exit 3']);
    expect([stdout.length, exitCode]).toEqual([16384, 3]);
  });

  it('has nothing on standard input', async () => {
    expect(await exec(['cat'])).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('counts against the limits of the container', async () => {
    expect((await exec(['tail', '/dev/zero'])).exitCode).toBe(137);
  });

  it('ends with everything it started when it takes too long', async () => {
    const result = await exec(['sh', '-c', 'setsid sleep 777 & echo begun; sleep 778'], 300);
    expect(result).toMatchObject({ timedOut: true, stdout: 'begun\n' });
    await until('the end of its children', () => running('sleep 77').length === 0);
    expect((await exec(['true'])).exitCode).toBe(0);
  });

  it('ends when it is aborted', async () => {
    const abort = new AbortController();
    const result = pods.runtime.exec(container.id, ['sleep', '779'], {
      timeoutMs: 60_000,
      signal: abort.signal,
    });
    await until('its start', () => running('sleep 779').length > 0);
    abort.abort();
    await expect(result).rejects.toMatchObject({ name: 'AbortError' });
    await until('its end', () => running('sleep 779').length === 0);
  });

  it('does not wait for what the command left running', async () => {
    const { stdout } = await exec(['sh', '-c', 'sleep 5 & echo done']);
    expect(stdout).toBe('done\n');
  });

  it('leaves the container to end at once', async () => {
    const other = await pods.start('web', ['sleep', '1000'], { name: 'other' });
    await pods.runtime.exec(other.id, ['sleep', '50'], { timeoutMs: 100 });
    await pods.runtime.stopContainer(other.id, 0);
    expect(await pods.exit(other)).toMatchObject({ exitCode: 137 });
    await expect(pods.runtime.exec(other.id, ['true'], { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'CONTAINER_NOT_RUNNING',
    });
  });
});
