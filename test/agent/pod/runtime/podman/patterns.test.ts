// The patterns of https://docs.podman.io and its guide to pods, with containers as small as can be.

import { mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUSYBOX_IMAGE, noPodman } from '../../../../support/podman.ts';
import { type PodmanPods, startPodmanPods } from '../../../../support/podman-pods.ts';
import { freePort } from '../../../../support/podvitals.ts';
import { until } from '../../../../support/process-pods.ts';

describe.skipIf(noPodman())('pods on real Podman', () => {
  let pods: PodmanPods;
  beforeAll(async () => {
    pods = await startPodmanPods();
  });
  afterAll(() => pods?.remove());

  const serve = (what: string, port: number) => [
    'sh',
    '-c',
    `mkdir -p /tmp/www; echo '${what}' > /tmp/www/index.html; exec httpd -f -p ${port} -h /tmp/www`,
  ];
  // Not wget: busybox built statically falls over numeric addresses.
  const get = (host: string, port: number, path = '/') => [
    'sh',
    '-c',
    `while :; do answer=$(printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${host} ${port} 2> /dev/null | tail -1); [ -n "$answer" ] && break; sleep 0.1; done; echo "$answer"`,
  ];

  it('web and cache: containers of a pod reach each other on localhost, and have its host name', async () => {
    await pods.pod('front');
    await pods.start('front', serve('from the cache', 6379), { name: 'cache' });
    expect(await pods.run('front', get('localhost', 6379), { name: 'web' })).toBe('from the cache');
    expect(await pods.run('front', ['hostname'], { name: 'name' })).toBe('front');
  });

  it('know whom an image runs as: root where it says nobody, a number, a name', async () => {
    const made = async (image: string, user: string) => {
      await pods.podman.podman('create', '--name', image, BUSYBOX_IMAGE, 'true');
      await pods.podman.podman('commit', '-q', '-c', `USER ${user}`, image, `localhost/${image}:1`);
      await pods.podman.podman('rm', image);
      return pods.runtime().imageUser(`localhost/${image}:1`);
    };
    expect(await pods.runtime().imageUser(BUSYBOX_IMAGE)).toBe(0);
    expect(await made('by-number', '1234:99')).toBe(1234);
    expect(await made('by-name', 'bob')).toBe('bob');
    expect(await pods.runtime().imageUser('localhost/none:1')).toBeUndefined();
  });

  it('share /dev/shm, and nothing of it with another pod', async () => {
    await pods.pod('memory');
    await pods.pod('stranger');
    await pods.run('memory', ['sh', '-c', 'echo shared > /dev/shm/word'], { name: 'writer' });
    expect(await pods.run('memory', ['cat', '/dev/shm/word'], { name: 'reader' })).toBe('shared');
    expect(await pods.run('stranger', ['cat', '/dev/shm/word'], { name: 'reader' })).toContain(
      'No such file',
    );
    await pods.runtime().removeSandbox('stranger');
  });

  it('see each other’s processes only where they share them', async () => {
    for (const [pod, shareProcessNamespace] of [
      ['apart', false],
      ['together', true],
    ] as const) {
      await pods.pod(pod, { shareProcessNamespace });
      await pods.start(pod, ['sleep', '4321'], { name: 'app' });
      const seen = await pods.run(pod, ['ps', '-o', 'args'], { name: 'debug' });
      expect(seen.includes('sleep 4321')).toBe(shareProcessNamespace);
    }
    // In a shared namespace a container’s end is still its own.
    const app = await pods.start('together', ['sh', '-c', 'sleep 500 & exit 7'], { name: 'parent' });
    expect(await pods.exit(app)).toMatchObject({ exitCode: 7 });
  });

  it('sidecar logging: one writes to a volume what the other reads', async () => {
    await pods.pod('logging');
    const volume = join(pods.runtime().podDirectory('logging'), 'volumes', 'logs');
    mkdirSync(volume, { recursive: true });
    const mount = { source: volume, target: '/logs' };
    await pods.start('logging', ['sh', '-c', 'echo order 11 > /logs/app.log; sleep 1000'], {
      name: 'app',
      mounts: [{ ...mount, readOnly: false }],
    });
    const shipper = await pods.start('logging', ['tail', '-F', '/logs/app.log'], {
      name: 'shipper',
      mounts: [{ ...mount, readOnly: true }],
    });
    await until('the line', async () => (await pods.log(shipper)).includes('order 11'));
    expect(
      await pods.run('logging', ['touch', '/logs/other'], {
        name: 'vandal',
        mounts: [{ ...mount, readOnly: true }],
      }),
    ).toContain('Read-only file system');
  });

  it('ambassador: the app talks to localhost, its neighbour to another pod', async () => {
    const backend = await pods.pod('backend');
    await pods.start('backend', serve('from the backend', 9000));
    await pods.pod('client');
    const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${backend.ip} 9000 | tail -1`;
    const relay = [
      'mkdir -p /tmp/www/cgi-bin; cd /tmp/www/cgi-bin',
      `printf '%s\\n' '#!/bin/sh' 'echo "Content-type: text/plain"; echo' "${ask}" > relay`,
      'chmod +x relay; exec httpd -f -p 127.0.0.1:9000 -h /tmp/www',
    ];
    await pods.start('client', ['sh', '-c', relay.join('\n')], { name: 'ambassador' });
    expect(await pods.run('client', get('127.0.0.1', 9000, '/cgi-bin/relay'), { name: 'app' })).toBe(
      'from the backend',
    );
  });

  it('publish a port on an address of the host', async () => {
    const hostPort = await freePort();
    await pods.pod('published', {
      hostPorts: [{ hostPort, containerPort: 80, protocol: 'TCP', hostIp: '127.0.0.1' }],
    });
    await pods.start('published', serve('hello outside', 80));
    const answer = await until('the answer', () =>
      fetch(`http://127.0.0.1:${hostPort}/`)
        .then((response) => response.text())
        .catch(() => undefined),
    );
    expect(answer.trim()).toBe('hello outside');
  });

  it('are on the host’s network where they ask for it', async () => {
    const sandbox = await pods.pod('hosted', { hostNetwork: true });
    expect(sandbox.ip).toBeUndefined();
    const links = (await pods.run('hosted', ['ls', '/sys/class/net'])).split('\n');
    expect(links).toContain('lo');
    const namespace = await pods.run('hosted', ['readlink', '/proc/self/ns/net'], { name: 'namespace' });
    expect(namespace).toBe(readlinkSync('/proc/self/ns/net'));
  });

  it('tell a death by the memory limit from the cgroup’s own count', async () => {
    await pods.pod('limits', { memoryLimitBytes: 64 * 2 ** 20, cpuLimitCores: 1 });
    const hog = await pods.start('limits', ['sh', '-c', 'sleep 0.5; tail /dev/zero'], {
      name: 'hog',
      memoryLimitBytes: 24 * 2 ** 20,
    });
    expect(await pods.exit(hog)).toMatchObject({ exitCode: 137, signal: 9 });
    expect((await pods.exit(hog)).oomKills).toBeGreaterThanOrEqual(1);
    const killed = await pods.start('limits', ['sleep', '1000'], { name: 'killed' });
    process.kill(killed.pid, 'SIGKILL');
    expect(await pods.exit(killed)).toMatchObject({ exitCode: 137, signal: 9, oomKills: 0 });
  });

  it('set the limits of each container', async () => {
    await pods.pod('small');
    const { cgroup } = await pods.start('small', ['sleep', '1000'], {
      memoryLimitBytes: 32 * 2 ** 20,
      cpuLimitCores: 0.25,
      pidsLimit: 40,
    });
    const read = (controller: string, v1: string, v2: string) =>
      readFileSync(join(cgroup[controller] ?? cgroup.unified!, cgroup[controller] ? v1 : v2), 'utf8').trim();
    expect(read('memory', 'memory.limit_in_bytes', 'memory.max')).toBe(String(32 * 2 ** 20));
    expect(read('cpu', 'cpu.cfs_quota_us', 'cpu.max').split(' ')[0]).toBe('25000');
    expect(read('pids', 'pids.max', 'pids.max')).toBe('40');
  });

  it('run as the user, with the capabilities and on the root they are given', async () => {
    await pods.pod('secure');
    const script = 'id -u; id -g; grep -E "CapEff|NoNewPrivs" /proc/self/status; touch /file';
    const log = await pods.run('secure', ['sh', '-c', script], {
      security: {
        uid: 65534,
        gid: 65534,
        noNewPrivileges: true,
        readOnlyRoot: true,
        capabilities: { add: [], drop: ['ALL'] },
      },
    });
    expect(log.split('\n')).toEqual([
      '65534',
      '65534',
      'CapEff:\t0000000000000000',
      'NoNewPrivs:\t1',
      'touch: /file: Read-only file system',
    ]);
  });

  it('run a command beside a container with its rights, environment and limits', async () => {
    await pods.pod('probed');
    const app = await pods.start('probed', ['sleep', '1000'], {
      env: [['CURRENCY', 'EUR']],
      security: { uid: 65534 },
    });
    const exec = (command: readonly string[], timeoutMs = 60_000) =>
      pods.runtime().exec(app.id, command, { timeoutMs });
    const script = 'id -u; echo $CURRENCY; grep CapEff /proc/self/status; cat /proc/self/cgroup; exit 3';
    const { exitCode, stdout } = await exec(['sh', '-c', script]);
    expect(exitCode).toBe(3);
    expect(stdout.split('\n').slice(0, 3)).toEqual(['65534', 'EUR', 'CapEff:\t0000000000000000']);
    expect(stdout).toContain(`libpod-${app.id}`);
    expect(await exec(['sleep', '1000'], 300)).toMatchObject({ timedOut: true });
    expect((await exec(['ps', '-o', 'args'])).stdout).not.toContain('sleep 1000\nsleep 1000');
  });

  it('open a live command, with a terminal too', async () => {
    const app = await pods.start('probed', ['sleep', '1000'], { name: 'live' });
    const plain = await pods
      .runtime()
      .openExec(app.id, ['sh', '-c', 'cat; echo oops >&2; exit 4'], { stdin: true });
    plain.stdin!.end('one\ntwo\n');
    const [out, err] = [text(plain.stdout), text(plain.stderr!)];
    expect([await out, await err, await plain.exitCode]).toEqual(['one\ntwo\n', 'oops\n', 4]);
    // Podman gives a terminal its size a moment after its command has begun.
    const told = 'until stty size 2> /dev/null; do sleep 0.1; done';
    const terminal = await pods
      .runtime()
      .openExec(app.id, ['sh', '-c', told], { stdin: false, terminal: { rows: 33, columns: 99 } });
    const shown = await text(terminal.stdout);
    expect(shown.trim()).toMatch(/^\d+ \d+$/);
    expect(await terminal.exitCode).toBe(0);
  });

  it('can be reached on their own loopback', async () => {
    await pods.pod('inner');
    await pods.start('inner', serve('inside', 8080));
    const socket = await until('a connection', () =>
      pods
        .runtime()
        .dial('inner', 8080)
        .catch(() => undefined),
    );
    socket.write('GET / HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toContain('inside');
  });

  it('follow a log as it is written', async () => {
    await pods.pod('talker');
    const talker = await pods.start('talker', ['sh', '-c', 'for i in 1 2 3; do sleep 0.5; echo $i; done']);
    const seen: string[] = [];
    await pods
      .runtime()
      .followLogs(
        'talker',
        'main',
        talker.attempt,
        ({ text: line }) => seen.push(line),
        new AbortController().signal,
      );
    expect(seen).toEqual(['1', '2', '3']);
  });

  it('are held still, and go on where they were', async () => {
    await pods.pod('held');
    const app = await pods.start('held', [
      'sh',
      '-c',
      'i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done',
    ]);
    await until('a line', async () => (await pods.log(app)) !== '');
    await pods.runtime().pauseContainer(app.id);
    const before = await pods.log(app);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await pods.log(app)).toBe(before);
    await pods.runtime().unpauseContainer(app.id);
    await until('more lines', async () => (await pods.log(app)).length > before.length);
    await pods.runtime().stopContainer(app.id, 0);
    expect(await pods.exit(app)).toMatchObject({ exitCode: 137 });
  });

  it('keep memory-backed volumes in memory, and give it back', async () => {
    const path = join(pods.dataDir, 'pods', 'cached', 'volumes', 'cache');
    await pods.pod('cached', { memoryVolumes: [{ path, mode: 0o777, sizeBytes: 2 ** 20 }] });
    const mounts = [{ source: path, target: '/cache', readOnly: false }];
    const log = await pods.run(
      'cached',
      ['sh', '-c', 'df -t tmpfs -k /cache | tail -1; echo kept > /cache/a'],
      {
        mounts,
      },
    );
    expect(log).toMatch(/^tmpfs +1024 /);
    expect(await pods.run('cached', ['cat', '/cache/a'], { mounts })).toBe('kept');
    await pods.runtime().removeSandbox('cached');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(path);
  });

  it('leave nothing behind', async () => {
    const made = (await pods.podman.podman('pod', 'ps', '-q', '--no-trunc')).split('\n').filter(Boolean);
    expect(made.length).toBeGreaterThan(5);
    for (const { podUid } of (await pods.restart()).sandboxes) await pods.runtime().removeSandbox(podUid);
    expect(await pods.podman.podman('ps', '-a', '-q')).toBe('');
    expect(await pods.podman.podman('pod', 'ps', '-q')).toBe('');
    const left = await new Promise<string>((resolve) => {
      const socket = connect(pods.podman.socket, () => socket.end());
      socket.once('close', () => resolve(readFileSync('/proc/self/mountinfo', 'utf8')));
    });
    expect(left).not.toContain(join(pods.dataDir, 'pods'));
  });
});
