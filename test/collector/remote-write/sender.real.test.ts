import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdmissions } from '../../../src/collector/admissions.ts';
import { remoteWriteRoutes } from '../../../src/collector/api/remote-write.ts';
import { createEngine } from '../../../src/collector/promql/engine.ts';
import { createQueryApi } from '../../../src/collector/query-api/query-api.ts';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { createHttpServer, type HttpServer } from '../../../src/http/server.ts';
import { labelsKey } from '../../../src/model/labels.ts';
import type { QueryResult } from '../../../src/model/query-result.ts';
import { listOf } from '../../../src/model/sample.ts';
import { isStaleAt, wordsOf } from '../../../src/model/stale-marker.ts';
import { systemClock } from '../../../src/util/clock.ts';
import {
  createRemoteWriteReceiver,
  type RemoteWriteReceiver,
} from '../../../src/wire/prometheus/remote-write-receiver.ts';
import { eventually } from '../../support/eventually.ts';
import { missing } from '../../support/parts.ts';
import { createPeer, type Peer } from '../../support/peer.ts';

const TOKEN = 'a-token-for-these-tests';

describe.skipIf(missing('prometheus'))('a real Prometheus that sends us what it scrapes', () => {
  const store = createMemoryStore({ clock: systemClock });
  let receiver: RemoteWriteReceiver;
  let server: HttpServer;
  let shop: Server;
  let peer: Peer;
  let scrapes = 0;

  beforeAll(async () => {
    // A scrape target one of whose series is gone from the third scrape on.
    shop = createServer((_request, response) => {
      scrapes += 1;
      const cart = scrapes < 3 ? `cart_items{pod="cart-ü"} ${scrapes}\n` : '';
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(
        `# TYPE orders_total counter\norders_total{pod="web"} ${scrapes * 11}\n${cart}odd_value NaN\n`,
      );
    });
    await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
    const target = `127.0.0.1:${(shop.address() as { port: number }).port}`;
    receiver = createRemoteWriteReceiver({ store, clock: systemClock });
    server = await createHttpServer({
      name: 'collector',
      listen: { host: '127.0.0.1', port: 0 },
      token: TOKEN,
    });
    await server.app.register(remoteWriteRoutes(receiver, createAdmissions(systemClock).remote_write));
    const url = await server.listen();
    const config = {
      global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
      scrape_configs: [{ job_name: 'shop', static_configs: [{ targets: [target] }] }],
      remote_write: [
        {
          url: `${url}/api/v1/write`,
          authorization: { credentials: TOKEN },
          queue_config: { batch_send_deadline: '100ms' },
        },
      ],
    };
    peer = await createPeer('prometheus', JSON.stringify(config));
    await peer.start();
    await eventually(() => scrapes >= 12 && receiver.stats().samples > 60);
  });
  afterAll(async () => {
    await peer?.remove();
    await server?.close();
    await store.close();
    await new Promise((resolve) => shop?.close(resolve));
  });

  it('finds every series and sample here that it has itself', async () => {
    const atMs = Date.now();
    const theirs = createQueryApi({ url: peer.url, headers: {}, clock: systemClock });
    const ours = createEngine({ querier: () => store.querier(), clock: systemClock });
    const expr = '{job="shop"}[1m]';
    await eventually(async () => {
      expect(comparable(await ours.query(expr, atMs))).toEqual(comparable(await theirs.query(expr, atMs)));
      return true;
    });
    const { value } = await ours.query('count({job="shop"})', atMs);
    expect(value).toMatchObject({ samples: [{ v: expect.any(Number) }] });
    expect(receiver.stats()).toMatchObject({ failedRequests: 0, rejected: 0 });
  });

  it('ends a series here when its scrape no longer has it', () => {
    const [series] = store.querier().select([{ name: '__name__', op: '=', value: 'cart_items' }], 0, 8e15);
    const { v, length } = series!.samples(0, 8e15);
    expect([...v.subarray(0, length - 1)]).toEqual([1, 2]);
    expect(isStaleAt(wordsOf(v), length - 1)).toBe(true);
  });

  it('is not let in without the token', async () => {
    const url = `http://127.0.0.1:${(server.app.server.address() as { port: number }).port}/api/v1/write`;
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(401);
  });
});

function comparable({ value }: QueryResult): readonly string[] {
  if (value.type !== 'matrix') throw new Error(value.type);
  return value.series
    .map(
      ({ labels, samples }) =>
        `${labelsKey(labels)} ${listOf(samples)
          .map(({ t, v }) => `${v}@${t}`)
          .join(' ')}`,
    )
    .sort();
}
