import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { createQueryApi } from '../../../src/collector/query-api/query-api.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { labelsKey } from '../../../src/model/labels.ts';
import type { QueryResult } from '../../../src/model/query-result.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createRemoteWriteClient } from '../../../src/wire/prometheus/remote-write-client.ts';
import { createRemoteWriteReceiver } from '../../../src/wire/prometheus/remote-write-receiver.ts';
import { snappyEncode } from '../../../src/wire/prometheus/snappy.ts';
import { missing } from '../../support/parts.ts';
import { createPeer, type Peer, type PeerKind } from '../../support/peer.ts';
import { writeRequest } from '../../support/write-request.ts';

const now = Math.floor(Date.now() / 60_000) * 60_000;
const MINUTE = 60_000;
const range = { startMs: now - 10 * MINUTE, endMs: now, stepMs: MINUTE };

const request = writeRequest(
  ['cart', 'web', 'search'].map((pod, index) => ({
    labels: [
      ['__name__', 'orders_total'],
      ['pod', pod],
    ],
    samples: Array.from({ length: 41 }, (_, i) => [now - (40 - i) * 15_000, (i + 1) * (index + 11)] as const),
  })),
);

const VECTORS = [
  'orders_total',
  'sum(orders_total)',
  'orders_total{pod=~"c.*"} > bool 3',
  'vector(0) / 0',
  'max by (pod) (max_over_time(orders_total[2m]))',
  'orders_total == 0',
  'absent(missing_total{pod="cart"})',
];

/** Without annotations, in an order that counts for nothing. */
function comparable({ value }: QueryResult): unknown {
  if (value.type === 'vector')
    return [...value.samples].map(({ labels, ...sample }) => [labelsKey(labels), sample]).sort(byKey);
  if (value.type === 'matrix')
    return [...value.series].map(({ labels, samples }) => [labelsKey(labels), samples]).sort(byKey);
  return value;
}
const byKey = (a: unknown, b: unknown) => (String((a as [string])[0]) < String((b as [string])[0]) ? -1 : 1);

for (const kind of ['prometheus', 'victoria-metrics'] as const satisfies readonly PeerKind[])
  describe.skipIf(missing(kind))(`a real ${kind} that answers in our engine's place`, () => {
    let peer: Peer;
    const store = createMemoryStore({ clock: systemClock });
    const ours = createEngine({ querier: () => store.querier(), clock: systemClock });
    const theirs = () => createQueryApi({ url: peer.url, headers: {}, clock: systemClock });

    beforeAll(async () => {
      peer = await createPeer(kind);
      await peer.start();
      const client = createRemoteWriteClient(
        { url: peer.writeUrl, headers: {}, timeoutMs: 10_000 },
        systemClock,
      );
      expect(await client.write(request, new AbortController().signal)).toEqual({ kind: 'accepted' });
      await peer.flush();
      const receiver = createRemoteWriteReceiver({ store, clock: systemClock });
      const headers = { contentType: 'application/x-protobuf', contentEncoding: 'snappy' };
      expect((await receiver.write({ ...headers, body: snappyEncode(request) })).status).toBe(204);
    });
    afterAll(async () => {
      await store.close();
      await peer?.remove();
    });

    // VictoriaMetrics has no NaN in answers.
    it.each(kind === 'prometheus' ? VECTORS : VECTORS.filter((expr) => !expr.includes('/ 0')))(
      'answers %s at one time as we do',
      async (expr) => {
        expect(comparable(await theirs().query(expr, now))).toEqual(comparable(await ours.query(expr, now)));
      },
    );

    it('gives raw samples as we do', async () => {
      expect(comparable(await theirs().query('orders_total[2m]', now))).toEqual(
        comparable(await ours.query('orders_total[2m]', now)),
      );
    });

    it('answers over a range as we do', async () => {
      for (const expr of ['orders_total', 'sum(orders_total)'])
        expect(comparable(await theirs().queryRange(expr, range))).toEqual(
          comparable(await ours.queryRange(expr, range)),
        );
    });

    it('says that a query cannot be read', async () => {
      await expect(theirs().query('sum(', now)).rejects.toMatchObject({
        code: kind === 'prometheus' ? 'QUERY_PARSE' : 'QUERY_EXECUTION',
      });
    });

    it('stops waiting when nobody waits for the answer', async () => {
      await expect(theirs().query('up', now, AbortSignal.abort())).rejects.toMatchObject({
        code: 'QUERY_CANCELED',
      });
    });

    it('answers what series and labels there are', async () => {
      const parameters = new URLSearchParams({ 'match[]': 'orders_total' });
      const { status, body } = await theirs().ask('label/pod/values', parameters);
      expect([status, JSON.parse(body).data]).toEqual([200, ['cart', 'search', 'web']]);
    });
  });

describe('a server that does not answer queries', () => {
  it('is told apart from one that refuses a query, and is not asked again at once', async () => {
    let asked = 0;
    const { createServer } = await import('node:http');
    const server = createServer((_request, response) => {
      asked += 1;
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const api = createQueryApi({ url: `http://127.0.0.1:${port}/`, headers: {}, clock: systemClock });
    const unavailable = { code: 'QUERY_UNAVAILABLE', status: 503 };
    await expect(api.query('up', now)).rejects.toMatchObject({
      ...unavailable,
      message: `http://127.0.0.1:${port} does not answer queries: HTTP 502: <h1>Bad gateway</h1>`,
    });
    expect(asked).toBe(1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(api.query('up', now)).rejects.toMatchObject(unavailable);
    await expect(api.query('down', now)).rejects.toMatchObject(unavailable);
  });
});
