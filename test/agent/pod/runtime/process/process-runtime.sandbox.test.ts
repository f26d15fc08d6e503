import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDebris, noDebris } from '../../../../support/debris.ts';
import { missing, notRoot } from '../../../../support/parts.ts';
import { freePort } from '../../../../support/podvitals.ts';
import {
  createTestRuntime,
  sandboxConfig,
  type TestRuntime,
  until,
} from '../../../../support/process-pods.ts';

const SERVER = `require('node:http').createServer((_, answer) => answer.end(require('node:os').hostname())).listen(8080)`;
const fetchText = (url: string) =>
  new Promise<string | undefined>((resolve) => {
    get(url, { agent: false, timeout: 1000 }, async (answer) => resolve((await answer.toArray()).join('')))
      .on('error', () => resolve(undefined))
      .on('timeout', function (this: { destroy(): void }) {
        this.destroy();
      });
  });

describe.skipIf(notRoot() || missing('ip'))('a sandbox of the process runtime', () => {
  let pods: TestRuntime;
  beforeAll(async () => {
    pods = await createTestRuntime();
  });
  afterAll(() => pods.dispose());

  it('has an address at which the host reaches it', async () => {
    const { ip } = await pods.pod('web');
    await pods.start('web', ['node', '-e', SERVER]);
    expect(await until('an answer', () => fetchText(`http://${ip}:8080/`))).toBe('web');
  });

  it('is reached at ports of the host, TCP and UDP, by whatever was asked for', async () => {
    const [tcp, udp] = [await freePort(), await freePort()];
    const port = { hostIp: '127.0.0.1', containerPort: 8080 };
    await pods.runtime.runSandbox({
      ...sandboxConfig('ported'),
      hostPorts: [
        { ...port, hostPort: tcp, protocol: 'TCP' },
        { ...port, hostPort: udp, protocol: 'UDP' },
      ],
    });
    const echo = `const s = require('node:dgram').createSocket('udp4'); s.on('message', (text, { address, port }) => s.send('echo ' + text, port, address)); s.bind(8080); ${SERVER}`;
    await pods.start('ported', ['node', '-e', echo]);
    expect(await until('an answer', () => fetchText(`http://127.0.0.1:${tcp}/`))).toBe('ported');
    const client = createSocket('udp4');
    try {
      let answer: string | undefined;
      client.on('message', (text) => {
        answer = String(text);
      });
      await until('a datagram', () => {
        client.send('hello', udp, '127.0.0.1');
        return answer;
      });
      expect(answer).toBe('echo hello');
    } finally {
      client.close();
    }
    await pods.runtime.removeSandbox('ported');
    expect(await fetchText(`http://127.0.0.1:${tcp}/`)).toBeUndefined();
  });

  it('reaches other pods, and the host at the gateway', async () => {
    const { ip } = await pods.pod('asked');
    await pods.pod('asking');
    await pods.start('asked', ['node', '-e', SERVER]);
    await until('an answer', () => fetchText(`http://${ip}:8080/`));
    const ask = (url: string) => [
      'node',
      '-e',
      `fetch('${url}').then((answer) => answer.text()).then(console.log)`,
    ];
    expect((await pods.run('asking', ask(`http://${ip}:8080/`))).stdout).toBe('asked');

    const gateway = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.address === ip!.replace(/\d+$/, '1'))!.address;
    const host = createServer((_, answer) => answer.end('host')).listen(0, gateway);
    try {
      await until('the server', () => host.listening);
      const { port } = host.address() as { port: number };
      expect((await pods.run('asking', ask(`http://${gateway}:${port}/`))).stdout).toBe('host');
    } finally {
      host.close();
    }
  });

  it('is shared by its containers: loopback, hostname, IPC', async () => {
    await pods.pod('shared');
    await pods.start('shared', ['node', '-e', SERVER], { name: 'server' });
    const { stdout } = await pods.run(
      'shared',
      [
        'sh',
        '-c',
        'until curl -s http://127.0.0.1:8080/ || node -e "fetch(`http://127.0.0.1:8080/`).then((a) => a.text()).then(console.log, () => process.exit(1))"; do :; done; cat /etc/hosts | grep -c shared; readlink /proc/self/ns/ipc',
      ],
      { name: 'client' },
    );
    const infra = (await pods.pod('shared')).pid!;
    expect(
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.trim())
        .join(' '),
    ).toContain('shared');
    const { readlinkSync } = await import('node:fs');
    expect(stdout).toContain(readlinkSync(`/proc/${infra}/ns/ipc`));
  });

  it("on the host network has the host's interfaces and no address of its own", async () => {
    const sandbox = await pods.pod('on-host', true);
    expect(sandbox).not.toHaveProperty('ip');
    const { stdout } = await pods.run('on-host', ['readlink', '/proc/self/ns/net']);
    const { readlinkSync } = await import('node:fs');
    expect(stdout).toBe(readlinkSync('/proc/self/ns/net'));
  });

  it('has a limit for all its containers together', async () => {
    const { cgroup } = await pods.runtime.runSandbox({
      ...sandboxConfig('limited'),
      memoryLimitBytes: 100 << 20,
    });
    const file =
      cgroup.memory === undefined ? `${cgroup.unified}/memory.max` : `${cgroup.memory}/memory.limit_in_bytes`;
    expect(Number(readFileSync(file, 'utf8'))).toBe(132 << 20);
  });

  it('is made once, however often it is asked for', async () => {
    const [first, again] = [await pods.pod('once'), await pods.pod('once')];
    expect(again).toEqual(first);
  });

  it('is gone without a trace when it is removed, running containers and all', async () => {
    const alone = await createTestRuntime();
    try {
      await alone.pod('brief');
      const container = await alone.start('brief', [
        'sh',
        '-c',
        "trap '' TERM; sleep 1000 & while :; do sleep 1; done",
      ]);
      await alone.run('brief', ['true'], { name: 'other' });
      alone.runtime.podDirectory('brief');
      expect(findDebris(alone.owner).processes).not.toEqual([]);
      await alone.runtime.removeSandbox('brief');
      expect(findDebris(alone.owner)).toEqual(noDebris);
      expect(alone.exits.find((exit) => exit.containerId === container.id)).toMatchObject({ exitCode: 137 });
      await alone.runtime.removeSandbox('brief');
      await alone.runtime.removeSandbox('never-made');
    } finally {
      await alone.dispose();
    }
  });

  it('with a name that would lead elsewhere is refused', async () => {
    await expect(pods.pod('../../etc')).rejects.toMatchObject({ code: 'NAME_INVALID' });
  });
});

describe.skipIf(notRoot())('stopping a container', () => {
  let pods: TestRuntime;
  beforeAll(async () => {
    pods = await createTestRuntime();
    await pods.pod('stopped');
  });
  afterAll(() => pods.dispose());

  it('asks it first, and takes its own exit code', async () => {
    const container = await pods.start('stopped', [
      'sh',
      '-c',
      "trap 'echo bye; exit 42' TERM; echo up; while :; do sleep 0.05; done",
    ]);
    await until(
      'the trap',
      async () => (await pods.runtime.logs('stopped', 'main', container.attempt, {})).length > 0,
    );
    await pods.runtime.stopContainer(container.id, 20_000);
    expect(await pods.exit(container)).toMatchObject({ exitCode: 42 });
    expect((await pods.runtime.logs('stopped', 'main', container.attempt, { tail: 1 }))[0]?.text).toBe('bye');
  });

  it('kills it and all its children after the grace period', async () => {
    const container = await pods.start('stopped', [
      'sh',
      '-c',
      "trap '' TERM; sleep 1000 & setsid sleep 1000 & while :; do sleep 1; done",
    ]);
    await pods.runtime.stopContainer(container.id, 100);
    expect(await pods.exit(container)).toMatchObject({ exitCode: 137, signal: 9 });
    expect(findDebris(pods.owner).processes.filter((line) => line.includes('sleep 1000'))).toEqual([]);
  });

  it('that is over, or unknown, does nothing', async () => {
    const { exit } = await pods.run('stopped', ['true']);
    await pods.runtime.stopContainer(exit.containerId, 1000);
    await pods.runtime.stopContainer('unknown', 1000);
    await pods.runtime.removeContainer('unknown');
  });
});
