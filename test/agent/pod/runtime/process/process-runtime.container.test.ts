import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notRoot } from '../../../../support/parts.ts';
import { createTestRuntime, type TestRuntime, until } from '../../../../support/process-pods.ts';

describe.skipIf(notRoot())('a container of the process runtime', () => {
  let pods: TestRuntime;
  const sh = (script: string, config = {}) => pods.run('web', ['sh', '-c', script], config);

  beforeAll(async () => {
    pods = await createTestRuntime();
    await pods.pod('web');
  });
  afterAll(() => pods.dispose());

  it('starts whatever mounts of the host come and go meanwhile', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pv-mounts-'));
    const churn = `while :; do mkdir -p "$1/on" && mount --bind /srv "$1/on"; sleep 0.02; umount "$1/on"; rmdir "$1/on"; sleep 0.02; done`;
    const other = spawn('sh', ['-c', churn, 'sh', folder], {
      stdio: 'ignore',
    });
    try {
      await until('the first mount', () => existsSync(join(folder, 'on')));
      for (let turn = 0; turn < 20; turn += 1) expect((await sh('exit 0')).exit.exitCode).toBe(0);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
      spawnSync('umount', ['--lazy', join(folder, 'on')], { stdio: 'ignore' });
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('tells its exit code', async () => {
    const { exit } = await sh('exit 42');
    expect(exit).toMatchObject({ podUid: 'web', name: 'main', exitCode: 42, oomKills: 0 });
    expect(exit).not.toHaveProperty('signal');
    expect(exit.finishedAt).toBeGreaterThanOrEqual(exit.startedAt);
  });

  it('tells the signal that killed it', async () => {
    const container = await pods.start('web', ['sleep', '1000']);
    process.kill(container.pid, 'SIGKILL');
    expect(await pods.exit(container)).toMatchObject({ exitCode: 137, signal: 9 });
  });

  it('does not take exit 137 for a signal', async () => {
    const { exit } = await sh('exit 137');
    expect(exit.exitCode).toBe(137);
    expect(exit).not.toHaveProperty('signal');
  });

  it('tells each death once', async () => {
    const { exit } = await sh('exit 3');
    await pods.runtime.stopContainer(exit.containerId, 0);
    expect(pods.exits.filter((told) => told.containerId === exit.containerId)).toHaveLength(1);
  });

  it('ends what its first process leaves behind', async () => {
    const container = await pods.start('web', ['sh', '-c', 'sleep 1000 & exit 0']);
    await pods.exit(container);
    expect(
      readFileSync(join(container.cgroup.pids ?? container.cgroup.unified!, 'cgroup.procs'), 'utf8'),
    ).toBe('');
  });

  it.each([
    [['no-such-command'], 'exec: "no-such-command": executable file not found in $PATH'],
    [['/no/such/file'], 'exec: "/no/such/file": stat /no/such/file: no such file or directory'],
    [['/etc/passwd'], 'exec: "/etc/passwd": permission denied'],
    [['/etc'], 'exec: "/etc": is a directory'],
  ])('that cannot start %j is a RunContainerError', async (command, message) => {
    const start = pods.start('web', command);
    await expect(start).rejects.toMatchObject({
      code: 'RunContainerError',
      message: expect.stringContaining(message),
    });
  });

  it('that cannot find a volume is a CreateContainerError', async () => {
    const start = pods.start('web', ['true'], {
      mounts: [{ source: '/no/such', target: '/data', readOnly: false }],
    });
    await expect(start).rejects.toMatchObject({
      code: 'CreateContainerError',
      message: expect.stringContaining('/no/such'),
    });
  });

  it('refuses images, and says what to do', async () => {
    await expect(pods.runtime.pullImage('nginx:1.27')).rejects.toMatchObject({
      code: 'ErrImagePull',
      message: expect.stringMatching(/nginx:1\.27.*--runtime podman/),
    });
    expect(await pods.runtime.pullImage('host')).toBe('host');
    expect(await pods.runtime.pullImage('')).toBe('host');
  });

  it('has exactly the environment it is given, with PATH, HOME and HOSTNAME besides', async () => {
    const env = [
      ['A', `it's "quoted" $HOME \`id\``],
      ['dotted.name', 'b\nc'],
      ['IFS', ','],
      ['A_B', ''],
    ] as const;
    const { stdout } = await pods.run('web', ['env', '-0'], { env });
    const seen = stdout.split('\0').filter(Boolean).sort();
    expect(seen.filter((entry) => !entry.startsWith('PATH='))).toEqual(
      [...env.map(([name, value]) => `${name}=${value}`), 'HOME=/root', 'HOSTNAME=web'].sort(),
    );
  });

  it('finds the pinned Node first', async () => {
    const { stdout } = await pods.run('web', ['node', '-p', 'process.version']);
    expect(stdout).toBe(process.version);
  });

  it('works in its working directory, made when missing', async () => {
    expect((await sh('pwd', { workingDir: '/made/for it' })).stdout).toBe('/made/for it');
    expect(existsSync('/made')).toBe(false);
  });

  it('sees its own processes, hostname, devices and no descriptors of others', async () => {
    const { stdout } = await sh(
      'echo $$; hostname; echo x > /dev/null && ls /dev; ls /proc/self/fd; ulimit -c',
    );
    expect(stdout.split('\n')).toEqual([
      '1',
      'web',
      ...[
        'fd',
        'full',
        'null',
        'ptmx',
        'pts',
        'random',
        'shm',
        'stderr',
        'stdin',
        'stdout',
        'termination-log',
        'tty',
        'urandom',
        'zero',
      ],
      ...['0', '1', '2', '3'],
      '0',
    ]);
  });

  it('may open its streams again', async () => {
    const { stdout, stderr } = await sh('echo a; echo b > /dev/stdout; echo c > /dev/stderr; echo d');
    expect([stdout, stderr]).toEqual(['a\nb\nd', 'c']);
  });

  it('writes into a layer of its own, never to the host, and starts afresh', async () => {
    const mark = `/etc/podvitals-mark-${process.pid}`;
    const { exit } = await sh(`echo mine > ${mark} && rm /etc/hostname; test -s ${mark}`);
    expect(exit.exitCode).toBe(0);
    expect(existsSync(mark)).toBe(false);
    expect((await sh(`test -e ${mark}`)).exit.exitCode).toBe(1);
  });

  it('does not see the data of other pods', async () => {
    expect((await sh(`ls -A ${pods.owner.dataDir}`)).stdout).toBe('');
  });

  it('has its volumes, read-only ones so', async () => {
    const folder = join(pods.runtime.podDirectory('web'), 'volumes', "it's, a:volume");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'file'), 'eleven');
    const mounts = [
      { source: folder, target: '/rw/deep', readOnly: false },
      { source: folder, target: '/ro', readOnly: true },
      { source: join(folder, 'file'), target: '/etc/shop/one file', readOnly: true },
    ];
    const { stdout, stderr } = await sh(
      'cat /ro/file "/etc/shop/one file"; echo twelve > /rw/deep/new; echo no > /ro/no; echo no > "/etc/shop/one file"',
      { mounts },
    );
    expect(stdout).toBe('eleveneleven');
    expect(stderr.match(/Read-only file system/g)).toHaveLength(2);
    expect(readFileSync(join(folder, 'new'), 'utf8')).toBe('twelve\n');
    expect(existsSync(join(folder, 'no'))).toBe(false);
    rmSync(folder, { recursive: true });
  });

  it('cannot change the pinned Node', async () => {
    const { stderr } = await sh(`touch ${dirname(process.execPath)}/x`);
    expect(stderr).toMatch(/Read-only file system/);
  });

  it('cannot be led out of its root by a link on the host', async () => {
    const link = `/etc/podvitals-link-${process.pid}`;
    const outside = join(pods.owner.dataDir, 'outside');
    mkdirSync(outside);
    const { symlinkSync } = await import('node:fs');
    symlinkSync(outside, link);
    try {
      await pods
        .start('web', ['true'], { mounts: [{ source: '/etc', target: `${link}/made`, readOnly: true }] })
        .catch(() => undefined);
      expect(existsSync(join(outside, 'made'))).toBe(false);
    } finally {
      rmSync(link);
    }
  });

  it('of a pod without sandbox is refused', async () => {
    await expect(pods.start('nobody', ['true'])).rejects.toMatchObject({ code: 'CreateContainerError' });
  });
});
