import { chmodSync, linkSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PodmanEvent } from '../../../../src/agent/engines/podman/event-stream.ts';
import { createPodmanClient, type PodmanClient } from '../../../../src/agent/engines/podman/podman-client.ts';
import { systemClock } from '../../../../src/util/clock.ts';
import { eventually } from '../../../support/eventually.ts';
import { notRoot } from '../../../support/parts.ts';

describe('a client of a Podman that misbehaves', () => {
  let folder: string;
  let socket: string;
  let server: Server | undefined;
  let client: PodmanClient;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podvitals-client-'));
    socket = join(folder, 'podman.sock');
    client = createPodmanClient(socket);
  });
  afterEach(async () => {
    client.close();
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const serve = (answer: RequestListener) =>
    new Promise<void>((resolve) => {
      server = createServer(answer);
      server.listen(socket, resolve);
    });
  const ping: (headers?: Record<string, string>) => RequestListener =
    (headers = { 'libpod-api-version': '4.3.1' }) =>
    (_, response) =>
      response.writeHead(200, headers).end('OK');

  it('says that there is no socket, and how to get one', async () => {
    await expect(client.check()).rejects.toMatchObject({
      code: 'PODMAN_SOCKET_MISSING',
      message: expect.stringMatching(/podman\.sock does not exist: start it with `systemctl enable --now/),
    });
  });

  it('says that nobody listens on a socket that was left behind', async () => {
    const left = createSocketServer();
    await new Promise<void>((resolve) => left.listen(socket, resolve));
    // A server that closes removes its socket; one that is killed leaves it, as this name for it does.
    linkSync(socket, `${socket}.left`);
    await new Promise((resolve) => left.close(resolve));
    const other = createPodmanClient(`${socket}.left`);
    await expect(other.check()).rejects.toMatchObject({ code: 'PODMAN_NOT_LISTENING' });
    other.close();
  });

  it.skipIf(notRoot())('says that it may not open the socket', async () => {
    await serve(ping());
    chmodSync(folder, 0o700);
    const nobody = 65_534;
    process.seteuid!(nobody);
    try {
      await expect(client.check()).rejects.toMatchObject({
        code: 'PODMAN_PERMISSION_DENIED',
        message: expect.stringContaining('run podvitals as root, or as the user whose Podman it is'),
      });
    } finally {
      process.seteuid!(0);
    }
  });

  it('knows who is not Podman, and which Podman is too old', async () => {
    await serve(ping({ 'api-version': '1.41', server: 'Docker' }));
    await expect(client.check()).rejects.toMatchObject({ code: 'PODMAN_NOT_PODMAN' });
    server!.removeAllListeners('request').on('request', ping({ 'libpod-api-version': '3.4.4' }));
    await expect(client.check()).rejects.toMatchObject({
      code: 'PODMAN_API_TOO_OLD',
      message: expect.stringContaining('speaks API 3.4.4; podvitals needs Podman 4.0 or newer'),
    });
  });

  it('passes on what Podman says: not found, conflict, failed', async () => {
    const answers: Record<string, number> = { cart: 404, shop: 409, till: 500 };
    await serve(({ url }, response) => {
      const name = /containers\/(\w+)/.exec(url!)![1]!;
      response
        .writeHead(answers[name]!)
        .end(JSON.stringify({ message: `trouble with ${name}`, response: 1 }));
    });
    const codes = { cart: 'PODMAN_NOT_FOUND', shop: 'PODMAN_CONFLICT', till: 'PODMAN_FAILED' };
    for (const [name, code] of Object.entries(codes))
      await expect(client.container(name)).rejects.toMatchObject({
        code,
        status: answers[name],
        message: `GET /containers/${name}/json on ${socket}: trouble with ${name}`,
      });
  });

  it('names the field of an answer that is not as expected, and half an answer as such', async () => {
    let body = '[{"Id": 11}]';
    await serve((_, response) => response.end(body));
    await expect(client.pods()).rejects.toMatchObject({
      code: 'PODMAN_BAD_ANSWER',
      message: expect.stringContaining('answered /pods/json unexpectedly: 0.Id:'),
    });
    body = '[{"Id": "1';
    await expect(client.pods()).rejects.toMatchObject({
      message: expect.stringContaining('with no whole JSON'),
    });
  });

  it('gives up on an answer that does not come', async () => {
    await serve(() => {});
    await expect(client.text({ path: '/info', timeoutMs: 50 })).rejects.toMatchObject({
      code: 'PODMAN_TIMEOUT',
    });
  });

  const line = (nano: number, action = 'start') =>
    `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: 'c1', Attributes: { name: 'cart', containerExitCode: '3' } }, timeNano: nano })}\n`;

  const follow = () => {
    const events: PodmanEvent[] = [];
    const told: string[] = [];
    const end = new AbortController();
    const code = (error: unknown) => (error as { code: string }).code;
    const done = client.followEvents({
      clock: systemClock,
      since: 1e18,
      onEvent: (event) => events.push(event),
      onConnected: () => told.push('connected'),
      onTrouble: (error) => told.push(code(error)),
      onBadEvent: (error) => told.push(`bad: ${code(error)}`),
      signal: end.signal,
      backOff: { baseMs: 5, capMs: 5 },
    });
    const stop = () => {
      end.abort();
      return done;
    };
    return { events, told, stop };
  };

  it('follows events over a stream that breaks off, asks again from a little before, and tells none twice', async () => {
    const asked: string[] = [];
    await serve((request, response) => {
      if (request.url === '/_ping') return ping()(request, response);
      asked.push(new URL(`http://d${request.url}`).searchParams.get('since')!);
      response.writeHead(200);
      if (asked.length > 1) return response.write(line(1.5e18) + line(1.6e18, 'died'));
      // Half an event, and then the service is killed.
      response.write(line(1.5e18) + line(1.6e18, 'died').slice(0, 40), () => response.destroy());
    });
    const following = follow();
    await eventually(() => following.events.length === 2);
    await following.stop();
    expect(following.events.map(({ action, exitCode, name }) => ({ action, exitCode, name }))).toEqual([
      { action: 'start', exitCode: undefined, name: 'cart' },
      { action: 'died', exitCode: 3, name: 'cart' },
    ]);
    expect(following.told).toEqual(['connected', 'PODMAN_CONNECTION_LOST', 'connected']);
    expect(asked).toEqual(['2001-09-09T01:46:40.000000000Z', '2017-07-14T02:39:50.000000000Z']);
  });

  it('passes over a line that is no event, and goes on', async () => {
    await serve((request, response) => {
      if (request.url === '/_ping') return ping()(request, response);
      response.writeHead(200);
      response.write(`{"Type": "contai\n${line(1.5e18)}`);
    });
    const following = follow();
    await eventually(() => following.events.length === 1);
    await following.stop();
    expect(following.told).toEqual(['connected', 'bad: PODMAN_BAD_ANSWER']);
  });

  it('reads a log in frames, however they are cut', async () => {
    const frame = (stream: number, text: string) => {
      const head = Buffer.alloc(8);
      head[0] = stream;
      head.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([head, Buffer.from(text)]);
    };
    const bytes = Buffer.concat([
      frame(1, '2026-01-01T00:00:11.5Z grüße out\n'),
      frame(2, '2026-01-01T00:00:12Z to err\n'),
    ]);
    await serve(async (_, response) => {
      for (const byte of bytes) {
        response.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    const lines: unknown[] = [];
    await client.logs('cart', {}, (read) => lines.push(read));
    expect(lines).toEqual([
      { at: Date.UTC(2026, 0, 1, 0, 0, 11, 500), stream: 'stdout', text: 'grüße out' },
      { at: Date.UTC(2026, 0, 1, 0, 0, 12), stream: 'stderr', text: 'to err' },
    ]);
  });
});
