import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEventStream } from '../../src/http/event-stream.ts';
import { createHttpServer, type HttpServer, type Listen } from '../../src/http/server.ts';
import { createFakeClock } from '../../src/util/clock.ts';

let folder: string;
const cleanUps: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'podvitals-http-'));
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

async function server(listen: Listen): Promise<HttpServer> {
  const made = await createHttpServer({ name: 'agent', listen });
  cleanUps.push(() => made.close());
  made.app.post('/change', async () => ({ changed: true }));
  return made;
}

function listening(
  server: Server,
  where: { port: number; host: string } | { path: string },
): Promise<Server> {
  return new Promise((resolve) => server.listen(where, () => resolve(server)));
}

function ask(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path }, (answer) => {
      let text = '';
      answer.on('data', (part) => {
        text += part;
      });
      answer.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('a port', () => {
  it('is told as a URL once it listens', async () => {
    const url = await (await server({ host: '127.0.0.1', port: 0 })).listen();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(`${url}/-/ready`)).text()).toBe('the agent is ready\n');
  });

  it('that is taken is named, with the command that tells by whom', async () => {
    const other = await listening(createServer(), { host: '127.0.0.1', port: 0 });
    cleanUps.push(() => other.close());
    const { port } = other.address() as { port: number };
    await expect((await server({ host: '127.0.0.1', port })).listen()).rejects.toMatchObject({
      code: 'HTTP_PORT_TAKEN',
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}.*ss -ltnp 'sport = :${port}'`)),
    });
  });

  it('on an address that this machine does not have is refused with the remedy', async () => {
    const made = await createHttpServer({
      name: 'agent',
      listen: { host: '192.0.2.1', port: 0 },
      token: 'x'.repeat(32),
    });
    await expect(made.listen()).rejects.toMatchObject({
      code: 'HTTP_LISTEN_FAILED',
      message: expect.stringContaining('no address of this machine'),
    });
  });

  it('keeps a connection open for more than a minute', async () => {
    const made = await server({ host: '127.0.0.1', port: 0 });
    const url = await made.listen();
    expect(made.app.server.keepAliveTimeout).toBeGreaterThan(60_000);
    expect((await fetch(`${url}/-/healthy`)).headers.get('keep-alive')).toBe('timeout=75');
  });

  it('speaks TLS, and with a certificate authority answers only clients it signed', async () => {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
    const subject = (name: string) => ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost'];
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'key',
      '-out',
      'cert',
      '-days',
      '2',
      ...subject('ca'),
    );
    const [key, cert] = ['key', 'cert'].map((name) => readFileSync(join(folder, name), 'utf8')) as [
      string,
      string,
    ];
    const made = await createHttpServer({
      name: 'collector',
      listen: { host: '0.0.0.0', port: 0 },
      tls: { key, cert, clientCa: cert },
      allowedHosts: ['localhost'],
    });
    cleanUps.push(() => made.close());
    made.app.post('/change', async () => ({ changed: true }));
    const { port } = new URL(await made.listen());
    const post = (credentials: object) =>
      new Promise<number>((resolve, reject) => {
        const options = {
          host: 'localhost',
          family: 4,
          port,
          ca: cert,
          method: 'POST',
          path: '/change',
          ...credentials,
        };
        requestTls(options, (answer) => resolve(answer.resume().statusCode!))
          .on('error', reject)
          .end();
      });
    expect(await post({ key, cert })).toBe(200);
    await expect(post({})).rejects.toThrow();
  });
});

describe('a unix socket', () => {
  it('is for its owner only, in a folder for its owner only, and may change state without a token', async () => {
    const socket = join(folder, 'run', 'agent.sock');
    expect(await (await server({ socket })).listen()).toBe(`unix:${socket}`);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700);
    expect(await ask(socket, 'POST', '/change')).toBe('{"changed":true}');
  });

  it('leaves nothing in its folder but itself, and not even that once closed', async () => {
    const socket = join(folder, 'agent.sock');
    const made = await server({ socket });
    await made.listen();
    expect(readdirSync(folder)).toEqual(['agent.sock']);
    await made.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is for its owner only in a folder that others may enter', async () => {
    chmodSync(folder, 0o755);
    const socket = join(folder, 'agent.sock');
    await (await server({ socket })).listen();
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(await ask(socket, 'POST', '/change')).toBe('{"changed":true}');
  });

  it('left behind by a dead process is replaced', async () => {
    const socket = join(folder, 'agent.sock');
    const die = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', die, socket])).toThrow();
    expect(statSync(socket).isSocket()).toBe(true);
    await (await server({ socket })).listen();
    expect(await ask(socket, 'GET', '/-/healthy')).toBe('the agent is healthy\n');
  });

  it('on which somebody answers is left alone', async () => {
    const socket = join(folder, 'agent.sock');
    const other = await listening(createServer(), { path: socket });
    cleanUps.push(() => other.close());
    await expect((await server({ socket })).listen()).rejects.toMatchObject({ code: 'HTTP_SOCKET_TAKEN' });
    expect(other.listening).toBe(true);
    expect(statSync(socket).isSocket()).toBe(true);
  });

  it('is not made over a file, in a folder others may write, or at a path too long', async () => {
    const file = join(folder, 'precious');
    writeFileSync(file, 'kept');
    await expect((await server({ socket: file })).listen()).rejects.toMatchObject({
      code: 'HTTP_SOCKET_PATH',
    });
    expect(readFileSync(file, 'utf8')).toBe('kept');
    chmodSync(folder, 0o775);
    await expect((await server({ socket: join(folder, 'a.sock') })).listen()).rejects.toMatchObject({
      code: 'HTTP_SOCKET_PATH',
      message: expect.stringContaining(`chmod go-w ${folder}`),
    });
    const long = join(folder, 'x'.repeat(120));
    await expect((await server({ socket: long })).listen()).rejects.toMatchObject({
      code: 'HTTP_SOCKET_PATH',
    });
  });
});

describe('live streams', () => {
  it('end when the server closes, and so does the server', async () => {
    const made = await server({ host: '127.0.0.1', port: 0 });
    let ended = 0;
    made.app.get('/watch', (_request, reply) => {
      const stream = openEventStream(reply);
      stream.onEnd(() => {
        ended += 1;
      });
      stream.send({ id: '1', event: 'event', data: { text: 'a\nb' } });
    });
    const answer = await fetch(`${await made.listen()}/watch`);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const text = answer.text();
    await made.close();
    expect(await text).toBe('retry: 2000\n\nid: 1\nevent: event\ndata: {"text":"a\\nb"}\n\n');
    expect(ended).toBe(1);
  });

  it('carry a heartbeat', async () => {
    const clock = createFakeClock();
    const made = await server({ host: '127.0.0.1', port: 0 });
    made.app.get('/watch', (_request, reply) => {
      openEventStream(reply, { clock });
    });
    const answer = await fetch(`${await made.listen()}/watch`);
    const text = answer.text();
    await clock.advance(31_000);
    await made.close();
    expect((await text).match(/: still here/g)).toHaveLength(2);
  });

  it('of a client that does not read are cut off instead of kept in memory', async () => {
    const made = await server({ host: '127.0.0.1', port: 0 });
    let sent = 0;
    const cut = new Promise<void>((resolve) => {
      made.app.get('/watch', (_request, reply) => {
        const stream = openEventStream(reply, { mostUnreadBytes: 100_000 });
        stream.onEnd(resolve);
        const flood = () => {
          if (!stream.send({ data: 'x'.repeat(50_000) })) return;
          sent += 50_000;
          setImmediate(flood);
        };
        flood();
      });
    });
    const { port } = new URL(await made.listen());
    await new Promise<void>((resolve) => {
      const asked = request({ host: '127.0.0.1', port, path: '/watch' }, (answer) => {
        answer.pause();
        resolve();
      });
      asked.on('error', () => {});
      asked.end();
    });
    await cut;
    // What the kernel's buffers took, and the bound.
    expect(sent).toBeLessThan(50_000_000);
  });

  it('stop listening to the record when their client leaves', async () => {
    const made = await server({ host: '127.0.0.1', port: 0 });
    const left = new Promise<void>((resolve) => {
      made.app.get('/watch', (_request, reply) => openEventStream(reply).onEnd(resolve));
    });
    const abort = new AbortController();
    await fetch(`${await made.listen()}/watch`, { signal: abort.signal });
    abort.abort();
    await left;
  });
});
