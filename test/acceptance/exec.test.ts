import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/main.ts';
import type { Terminal } from '../../src/cli/program.ts';
import { missing, notRoot } from '../support/parts.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir } from '../support/podvitals.ts';
import { until } from '../support/process-pods.ts';

const SHOP = `apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop}
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{name: data, emptyDir: {}}]
  containers:
    - name: app
      command: [node, -e, "require('node:http').createServer((_, a) => a.end('the cart')).listen(8080, '127.0.0.1')"]
      ports: [{name: http, containerPort: 8080}]
      volumeMounts: [{name: data, mountPath: /data}]
    - name: web
      command: [sleep, '1000']
      securityContext: {runAsUser: 1234}
---
apiVersion: v1
kind: Pod
metadata: {name: homeless, namespace: shop}
spec: {nodeSelector: {disk: none}, containers: [{name: app, command: [sleep, '1000']}]}
---
apiVersion: v1
kind: Pod
metadata: {name: victim, namespace: shop}
spec:
  restartPolicy: Never
  containers:
    - name: app
      command: [node, -e, "process.on('SIGTERM', () => process.exit(3)); console.log('ready'); setInterval(() => {}, 1000)"]
`;

/** A command line in this process, with streams of its own. */
async function command(dataDir: string, args: readonly string[], input = new PassThrough(), server?: string) {
  const stdout = Object.assign(new PassThrough(), { rows: 31, columns: 117 });
  const stderr = new PassThrough();
  let [out, err] = ['', ''];
  stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  stderr.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  const terminal: Terminal = {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    env: { PODVITALS_DATA_DIR: dataDir, ...(server === undefined ? {} : { PODVITALS_SERVER: server }) },
    isTty: false,
    streams: { stdin: Object.assign(input, { isTTY: true, setRawMode: () => {} }), stdout, stderr },
  };
  const done = run(args, terminal);
  return { done, input, stdout, out: () => out, err: () => err };
}

describe.skipIf(notRoot() || missing('ip'))('commands in a running pod', () => {
  const data = temporaryDataDir();
  let podvitals: Podvitals;
  const call = async (...args: readonly string[]) => {
    const given = await command(data.path, args, undefined, podvitals?.url);
    const code = await given.done;
    return { code, out: given.out(), err: given.err() };
  };

  beforeAll(async () => {
    const file = join(data.path, 'shop.yaml');
    writeFileSync(file, SHOP);
    podvitals = await startPodvitals({ dataDir: data.path, ports: await freePorts() });
    expect(await call('apply', '-f', file)).toMatchObject({ code: 0 });
    await until('its containers', async () => /2\/2/.test((await call('get', 'pods', '-n', 'shop')).out));
  });
  afterAll(async () => {
    await podvitals?.stop();
    data.remove();
  });

  it('a kill by exec is told as the doing of who ran it', async () => {
    await until('it hears signals', async () => (await call('logs', 'shop/victim')).out.includes('ready'));
    expect(await call('exec', 'shop/victim', '--', 'kill', '1')).toMatchObject({ code: 0 });
    const verdict = await until('the verdict', async () => {
      const { out } = await call('why', 'shop/victim', '-o', 'json');
      return out.includes('KilledByUser') && (JSON.parse(out) as { verdict: { summary: string } }).verdict;
    });
    expect(verdict.summary).toMatch(
      /^Container app ended with code 3 after SIGTERM, sent by process kill \(pid \d+\) of a command that was run by podvitals exec/,
    );
  });

  it('exec gives both streams and the exit code of the command', async () => {
    expect(await call('exec', 'shop/cart', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      code: 7,
      out: 'out\n',
      err: 'err\n',
    });
    expect(await call('exec', 'cart', '-n', 'shop', '-c', 'web', '--', 'id', '-u')).toMatchObject({
      code: 0,
      out: '1234\n',
    });
  });

  it('exec -i passes standard input on to its end, a megabyte of it', async () => {
    const given = await command(data.path, ['exec', '-i', 'shop/cart', '--', 'sh', '-c', 'wc -c; exit 3']);
    for (let piece = 0; piece < 64; piece += 1) given.input.write(Buffer.alloc(16_384, 'x'));
    given.input.end();
    expect(await given.done).toBe(3);
    expect(given.out().trim()).toBe(String(64 * 16_384));
  });

  it('exec gives a megabyte of output whole', async () => {
    const { out, code } = await call('exec', 'shop/cart', '--', 'head', '-c', '3000000', '/dev/zero');
    expect([out.length, code]).toEqual([3_000_000, 0]);
  });

  it.skipIf(missing('script'))('exec -it gives a terminal of the right size, which follows', async () => {
    const given = await command(data.path, ['exec', '-it', 'shop/cart', '--', 'sh']);
    given.input.write('stty size; echo over\n');
    await until('the size', () => /31 117[\s\S]*over\r\n/.test(given.out()));
    given.stdout.rows = 40;
    given.stdout.columns = 90;
    given.stdout.emit('resize');
    await until('the new size', async () => {
      given.input.write('stty size\n');
      await new Promise((resolve) => setTimeout(resolve, 200));
      return given.out().includes('40 90');
    });
    given.input.write('exit 5\n');
    expect(await given.done).toBe(5);
  });

  it.skipIf(missing('script'))(
    'exec -it from a terminal that says it has no size gives one of 80 by 24',
    async () => {
      const given = await command(data.path, [
        'exec',
        '-it',
        'shop/cart',
        '--',
        'sh',
        '-c',
        'stty size; exit 5',
      ]);
      given.stdout.rows = 0;
      given.stdout.columns = 0;
      expect([await given.done, given.out().trim()]).toEqual([5, '24 80']);
    },
  );

  it('exec says what is wrong', async () => {
    expect(await call('exec', 'shop/none', '--', 'true')).toMatchObject({ code: 1, err: /not found/ });
    expect(await call('exec', 'shop/cart', '-c', 'none', '--', 'true')).toMatchObject({
      code: 1,
      err: expect.stringContaining('it has: app, web'),
    });
    expect((await call('exec', 'shop/cart', '--', 'no-such-program')).code).toBe(127);
  });

  it('exec ends what it started when its caller goes away', async () => {
    const child = spawn(process.execPath, ['src/cli/main.ts', 'exec', 'shop/cart', '--', 'sleep', '78123'], {
      env: { ...process.env, PODVITALS_DATA_DIR: data.path },
      stdio: 'ignore',
    });
    const sleeps = async () =>
      (await call('exec', 'shop/cart', '--', 'sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "')).out;
    await until('its start', async () => (await sleeps()).includes('sleep 78123'));
    child.kill('SIGKILL');
    await until('its end', async () => !(await sleeps()).includes('sleep 78123'));
  });

  it('cp copies files and folders in and out', async () => {
    const source = join(data.path, 'in');
    mkdirSync(join(source, 'deep'), { recursive: true });
    writeFileSync(join(source, 'deep', 'a.txt'), 'eleven\n');
    expect(await call('cp', source, 'shop/cart:/data')).toEqual({ code: 0, out: '', err: '' });
    expect(await call('exec', 'shop/cart', '--', 'cat', '/data/in/deep/a.txt')).toMatchObject({
      out: 'eleven\n',
    });
    expect(await call('cp', join(source, 'deep', 'a.txt'), 'shop/cart:/data/b.txt')).toMatchObject({
      code: 0,
    });
    const out = join(data.path, 'out');
    expect(await call('cp', 'shop/cart:/data', out)).toEqual({ code: 0, out: '', err: '' });
    expect(readFileSync(join(out, 'in/deep/a.txt'), 'utf8')).toBe('eleven\n');
    expect(await call('cp', 'shop/cart:/data/b.txt', out)).toMatchObject({ code: 0 });
    expect(readFileSync(join(out, 'b.txt'), 'utf8')).toBe('eleven\n');
    expect(await call('cp', 'shop/cart:/data/none', out)).toMatchObject({ code: 1, err: /none/ });
  });

  it('cp takes nothing out that leads elsewhere', async () => {
    // A tar of the container's own, that sends a link and a name above.
    const evil = join(data.path, 'evil');
    mkdirSync(join(evil, 'loot'), { recursive: true });
    symlinkSync('/etc', join(evil, 'loot', 'link'));
    writeFileSync(join(evil, 'loot', 'plain'), 'x');
    const make = 'cd /data; mkdir -p loot; ln -s /etc loot/link; echo x > loot/plain';
    await call('exec', 'shop/cart', '--', 'sh', '-c', make);
    const tar =
      '#!/bin/sh\ncd /data\nexec /bin/tar cf - --transform "s,^loot/plain2,loot/../../../escaped," -P loot loot/plain2';
    await call(
      'exec',
      'shop/cart',
      '--',
      'sh',
      '-c',
      `echo y > /data/loot/plain2; cat > /usr/local/sbin/tar <<'T'\n${tar}\nT\nchmod 755 /usr/local/sbin/tar`,
    );
    const target = join(data.path, 'taken');
    const { err } = await call('cp', 'shop/cart:/data/loot', target);
    expect(err).toContain('left out');
    expect(readFileSync(join(target, 'plain'), 'utf8')).toBe('x\n');
    expect(existsSync(join(target, 'link'))).toBe(false);
    for (const folder of [data.path, join(data.path, '..'), '/'])
      expect(existsSync(join(folder, 'escaped'))).toBe(false);
    await call('exec', 'shop/cart', '--', 'rm', '/usr/local/sbin/tar');
  });

  it('exec takes a script as long as an argument may be', async () => {
    const script = `: ${'x'.repeat(60_000)} é; echo over`;
    expect(await call('exec', 'shop/cart', '--', 'sh', '-c', script)).toEqual({
      code: 0,
      out: 'over\n',
      err: '',
    });
  });

  it('port-forward to a pod that does not run says so, and opens nothing', async () => {
    const { code, out, err } = await call('port-forward', 'shop/homeless', ':80');
    expect([code, out, err]).toEqual([
      1,
      '',
      expect.stringMatching(/does not run.*it is Pending; see: podvitals why/),
    ]);
  });

  it("port-forward leads to the pod's own loopback, at 127.0.0.1 only", async () => {
    const child = spawn(process.execPath, ['src/cli/main.ts', 'port-forward', 'shop/cart', ':http', ':9'], {
      env: { ...process.env, PODVITALS_DATA_DIR: data.path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      let [said, complained] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk;
      });
      child.stderr.on('data', (chunk: Buffer) => {
        complained += chunk;
      });
      const port = await until('its port', () => /127\.0\.0\.1:(\d+) -> 8080/.exec(said)?.[1]);
      const nobody = await until('the other', () => /127\.0\.0\.1:(\d+) -> 9\n/.exec(said)?.[1]);
      for (const turn of [1, 2, 3]) {
        const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
        expect([turn, await answer.text()]).toEqual([turn, 'the cart']);
      }
      const refused = connect(Number(nobody), '127.0.0.1');
      await new Promise((resolve) => refused.on('error', () => undefined).once('close', resolve));
      expect(complained).toContain('nothing answers on port 9 of the pod');
    } finally {
      child.kill('SIGINT');
      await new Promise((resolve) => child.once('exit', resolve));
    }
  });

  it('top shows what pods, containers and the node use', async () => {
    const shown = await until('figures', async () => {
      const { out } = await call('top', 'pods', '-n', 'shop', '--containers');
      return out.includes('app') && out.includes('web') ? out : undefined;
    });
    expect(shown).toMatch(
      /^POD {2,}NAME {2,}CPU\(cores\) {2,}MEMORY\(bytes\)\ncart {2,}app {2,}\d+m {2,}\d+Mi\n/,
    );
    expect((await call('top', 'pods')).out).toMatch(/^NAMESPACE.*\nshop {2,}cart/);
    expect((await call('stats', '--no-stream')).out).toMatch(/^POD.*\nshop\/cart {2,}app/);
    expect((await call('stats', '--no-stream', '-n', 'elsewhere')).out).toBe(
      'No pods run in namespace elsewhere.\n',
    );
    expect((await call('top', 'nodes')).out).toMatch(/\ntest-node {2,}\d+m {2,}\d+Mi\n/);
  });

  it('is not to be had at the port that is scraped', async () => {
    for (const path of [
      '/api/v1/namespaces/shop/pods/cart/exec?command=id',
      '/apis/metrics.k8s.io/v1beta1/pods',
    ])
      expect((await fetch(`${podvitals.agentUrl}${path}`)).status).toBe(404);
  });
});
