import { once } from 'node:events';
import { get } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendPieces } from '../../../src/collector/api/prometheus-route.ts';
import { writeText } from '../../../src/collector/api/text-bytes.ts';
import { createHttpServer, type HttpServer } from '../../../src/http/server.ts';
import { systemClock } from '../../../src/util/clock.ts';

const LINES = 20_000;
const lineOf = (mark: string, i: number) => `${mark}-${i}-${mark}\n`;

let server: HttpServer;
let url: string;

beforeAll(async () => {
  server = await createHttpServer({ name: 'pieces', listen: { host: '127.0.0.1', port: 0 } });
  // Some hundred kilobytes, of which each line says whose it is.
  server.app.get('/long/:mark', async (request, reply) => {
    const { mark } = request.params as { readonly mark: string };
    return sendPieces(
      reply,
      function* (out) {
        for (let i = 0; i < LINES; i += 1) {
          writeText(out, lineOf(mark, i));
          yield;
        }
      },
      systemClock,
    );
  });
  url = await server.listen();
});
afterAll(() => server.close());

const wanted = (mark: string) => Array.from({ length: LINES }, (_, i) => lineOf(mark, i)).join('');

async function ask(mark: string, headers: Record<string, string> = {}): Promise<string> {
  const request = get(`${url}/long/${mark}`, { headers });
  const [response] = await once(request, 'response');
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  return String(response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes);
}

/** Reads a little and goes. */
async function leave(mark: string): Promise<void> {
  const request = get(`${url}/long/${mark}`);
  const [response] = await once(request, 'response');
  await once(response, 'data');
  const closed = once(request, 'close');
  response.destroy();
  await closed;
}

describe('long answers whose memory is used again', () => {
  it('are each their own, many at a time and one after another, packed or not, though some clients go', async () => {
    const packed = { 'accept-encoding': 'gzip', via: '1.1 proxy' };
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const mark = `${'abcdefgh'[i]}${round}`;
          if (i % 4 === 3) return leave(mark);
          const text = await ask(mark, i % 2 === 0 ? {} : packed);
          expect(text === wanted(mark), mark).toBe(true);
        }),
      );
    }
  });
});
