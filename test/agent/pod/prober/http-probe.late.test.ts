import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { askHttp, type HttpAnswer } from '../../../../src/agent/pod/prober/http-probe.ts';
import { systemClock } from '../../../../src/util/clock.ts';

/** Asks a real server that answers only when it is told to. */
async function askSlowServer(use: (ask: { readonly url: string; answerNow(): void }) => Promise<void>) {
  let answerNow = () => {};
  const server = createServer((_, response) => {
    answerNow = () => response.end('ok');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const { port } = server.address() as AddressInfo;
    await use({ url: `http://127.0.0.1:${port}/healthz`, answerNow: () => answerNow() });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
const question = (url: string) => ({ url, headers: [], timeoutMs: 200 });

describe('an HTTP probe that times out', () => {
  it('has failed, and still tells of the answer that comes later', async () => {
    await askSlowServer(async ({ url, answerNow }) => {
      let told = (_: HttpAnswer) => {};
      const late = new Promise<HttpAnswer>((resolve) => {
        told = resolve;
      });
      const answer = await askHttp(question(url), systemClock, new AbortController().signal, (then) =>
        told(then),
      );
      expect(answer).toMatchObject({ error: expect.stringContaining('context deadline exceeded') });
      answerNow();
      expect(await late).toMatchObject({ status: 200 });
    });
  });

  it('tells nothing more once its container is gone', async () => {
    await askSlowServer(async ({ url, answerNow }) => {
      const gone = new AbortController();
      let late = 0;
      await askHttp(question(url), systemClock, gone.signal, () => {
        late += 1;
      });
      gone.abort();
      answerNow();
      // A second probe of the same server has its answer only after the first could have had one.
      const second = askHttp(
        { ...question(url), timeoutMs: 5000 },
        systemClock,
        new AbortController().signal,
      );
      const nudge = setInterval(answerNow, 10);
      expect(await second).toMatchObject({ status: 200 });
      clearInterval(nudge);
      expect(late).toBe(0);
    });
  });
});
