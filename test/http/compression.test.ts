import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';

const LONG = 'podvitals '.repeat(1000);
const PROXY = { via: '1.1 proxy' };
const GZIP = { 'accept-encoding': 'gzip, br' };

let server: HttpServer;
let url: string;
beforeAll(async () => {
  server = await createHttpServer({ name: 'test', listen: { host: '127.0.0.1', port: 0 } });
  const { app } = server;
  app.get('/text', (_request, reply) => reply.type('text/plain; charset=utf-8').send(LONG));
  app.get('/json', () => ({ long: LONG }));
  app.get('/short', () => ({ long: LONG.slice(0, 1000) }));
  app.get('/stream', (_request, reply) =>
    reply.type('application/json').send(Readable.from([LONG, LONG].map((part) => Buffer.from(part)))),
  );
  app.get('/image', (_request, reply) => reply.type('image/png').send(Buffer.from(LONG)));
  app.get('/events', (_request, reply) => reply.type('text/event-stream').send(LONG));
  url = await server.listen();
});
afterAll(() => server.close());

async function ask(path: string, headers: Record<string, string>) {
  const [response] = (await once(get(`${url}${path}`, { headers }), 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const { 'content-encoding': encoding, 'content-length': length, vary } = response.headers;
  return {
    encoding,
    vary,
    isLengthRight: length === undefined || Number(length) === body.length,
    text: String(encoding === 'gzip' ? gunzipSync(body) : body),
  };
}

describe('answers', () => {
  it.each([
    ['/text', LONG],
    ['/json', JSON.stringify({ long: LONG })],
    ['/stream', LONG + LONG],
  ])('%s: are packed for a client behind a proxy that takes gzip', async (path, text) => {
    expect(await ask(path, { ...PROXY, ...GZIP })).toEqual({
      encoding: 'gzip',
      vary: 'accept-encoding',
      isLengthRight: true,
      text,
    });
  });

  it.each([
    ['to a client on this machine', '/text', GZIP],
    ['to one that does not take gzip', '/text', PROXY],
    ['to one that refuses it', '/text', { ...PROXY, 'accept-encoding': 'gzip;q=0' }],
    ['that are short', '/short', { ...PROXY, ...GZIP }],
    ['that are packed already', '/image', { ...PROXY, ...GZIP }],
    ['that are event streams', '/events', { ...PROXY, ...GZIP }],
  ])('%s are sent as they are', async (_which, path, headers) => {
    const { encoding, isLengthRight, text } = await ask(path, headers);
    expect({ encoding, isLengthRight }).toEqual({ encoding: undefined, isLengthRight: true });
    expect(text).toContain('podvitals podvitals');
  });
});
