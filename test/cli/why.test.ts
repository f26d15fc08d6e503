import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podRoutes } from '../../src/collector/api/pods.ts';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';
import { runCommandLine } from '../support/command-line.ts';
import { createMemoryEventLog } from '../support/memory-event-log.ts';
import { shopRecords } from '../support/shop-records.ts';

describe('why of a kind, as it is typed', () => {
  let server: HttpServer;
  let address: string;
  beforeAll(async () => {
    const log = createMemoryEventLog();
    await log.append(shopRecords(Date.UTC(2026, 10, 21, 9, 30)));
    server = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port: 0 } });
    server.app.register(podRoutes({ log }));
    address = await server.listen();
  });
  afterAll(() => server.close());
  const why = (...words: readonly string[]) =>
    runCommandLine(['why', ...words], { PODVITALS_SERVER: address });

  it('tells the worst pod of the workload, whichever way it is named', async () => {
    for (const words of [
      ['deployment/cart', '-n', 'shop'],
      ['deploy', 'shop/cart'],
      ['deploy/shop/cart'],
      ['shop/cart'],
    ]) {
      const { code, out } = await why(...words);
      expect(code).toBe(0);
      expect(out).toMatch(/^shop\/cart-7b9c6d4f5-q8w2e {2}MissingConfig/);
    }
  });

  it('says what there is where that kind has none of that name, and what was meant', async () => {
    expect(await why('statefulset/cart', '-n', 'shop')).toEqual({
      code: 1,
      out: '',
      err: 'podvitals: statefulset "shop/cart" not found; there is a deployment of that name: podvitals why deployment/cart -n shop\n',
    });
    const mistyped = await why('deplyment/cart');
    expect(mistyped.code).toBe(1);
    expect(mistyped.err).toMatch(/^podvitals: .*not found.*; or was it: podvitals why deployment\/cart\n$/);
    expect(await why('svc/cart')).toMatchObject({
      code: 2,
      err: expect.stringContaining('podvitals describe service cart'),
    });
  });
});
