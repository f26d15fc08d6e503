import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ASSETS } from '../../src/app/assets.ts';
import { type Collector, createCollector } from '../../src/collector/collector.ts';
import { createQueryApi } from '../../src/collector/query-api/query-api.ts';
import { systemClock } from '../../src/util/clock.ts';
import { createRemoteWriteClient } from '../../src/wire/prometheus/remote-write-client.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/parts.ts';
import { createPeer, type Peer, type PeerKind } from '../support/peer.ts';
import { freePort } from '../support/podvitals.ts';
import { writeRequest } from '../support/write-request.ts';

const RULES = `
groups:
  - name: shop
    rules:
      - record: shop:orders:sum
        expr: sum(orders_total)
      - alert: ManyOrders
        expr: shop:orders:sum > 10
        labels: {severity: page}
`;
const never = new AbortController().signal;

interface Rules {
  data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
}
interface Alerts {
  data: { alerts: { labels: Record<string, string>; state: string; activeAt: string }[] };
}

for (const kind of ['prometheus', 'victoria-metrics'] as const satisfies readonly PeerKind[])
  describe.skipIf(missing(kind))(`a collector over a real ${kind} that was there before`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'podvitals-over-'));
    let peer: Peer;
    let collector: Collector;

    beforeAll(async () => {
      peer = await createPeer(kind);
      await peer.start();
      const rules = join(folder, 'rules.yaml');
      writeFileSync(rules, RULES);
      collector = createCollector({
        dataDir: folder,
        listen: { host: '127.0.0.1', port: 0 },
        otlpGrpc: { host: '127.0.0.1', port: await freePort() },
        otlpHttp: { host: '127.0.0.1', port: await freePort() },
        otlpOptional: true,
        externalUrl: 'http://127.0.0.1:7638',
        evaluationIntervalMs: 1_000,
        retention: { timeMs: 86_400_000, bytes: 2 ** 30 },
        ruleFiles: [rules],
        webhooks: [],
        tellTerminal: false,
        query: { url: peer.url, headers: {} },
        remoteWrite: [
          {
            name: 'peer',
            url: peer.writeUrl,
            headers: {},
            timeoutMs: 5_000,
            maxBytes: 2 ** 24,
            maxAgeMs: 3_600_000,
          },
        ],
        assets: ASSETS,
        version: '0',
        clock: systemClock,
        tracer: trace.getTracer('test'),
        logger: pino({ level: 'silent' }),
        say: () => {},
      });
      await collector.start();
    });
    afterAll(async () => {
      await collector?.stop();
      await peer?.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    const get = async <T>(path: string) => (await fetch(collector.url() + path)).json() as Promise<T>;
    const manyOrders = async () =>
      (await get<Alerts>('/api/v1/alerts')).data.alerts.find(
        ({ labels }) => labels.alertname === 'ManyOrders',
      );
    const health = async () =>
      (await get<Rules>('/api/v1/rules')).data.groups.flatMap(({ rules }) =>
        rules.map((rule) => rule.health),
      );
    const write = async (url: string, name: string, value: number) => {
      const client = createRemoteWriteClient({ url, headers: {}, timeoutMs: 5_000 }, systemClock);
      const series = { labels: [['__name__', name]], samples: [[Date.now(), value]] } as const;
      return client.write(writeRequest([series]), never);
    };
    const there = async (expr: string) => {
      const api = createQueryApi({ url: peer.url, headers: {}, clock: systemClock });
      const { value } = await api.query(expr, Date.now());
      return value.type === 'vector' ? value.samples.map(({ v }) => v) : [];
    };

    it('judges by what is there: what came in here, and what was recorded from it, was sent there', async () => {
      expect(await write(`${collector.url()}/api/v1/write`, 'orders_total', 11)).toEqual({
        kind: 'accepted',
      });
      await eventually(async () => {
        await peer.flush();
        return (await manyOrders())?.state === 'firing';
      }, 60_000);
      await eventually(async () => {
        await peer.flush();
        expect(await there('shop:orders:sum')).toEqual([11]);
        expect(await there('ALERTS{alertname="ManyOrders",alertstate="firing"}')).toEqual([1]);
        return true;
      });
    });

    it('answers queries, series and labels with what only the other has', async () => {
      await write(peer.writeUrl, 'only_there', 12);
      await peer.flush();
      await eventually(async () => {
        const { data } = await get<{ data: { result: { value: unknown[] }[] } }>(
          '/api/v1/query?query=only_there',
        );
        return data.result[0]?.value[1] === '12';
      });
      const names = await get<{ data: string[] }>('/api/v1/label/__name__/values');
      expect(names.data).toEqual(expect.arrayContaining(['only_there', 'orders_total', 'ALERTS']));
      const series = await get<{ data: unknown }>('/api/v1/series?match[]=only_there');
      expect(series.data).toEqual([{ __name__: 'only_there' }]);
    });

    it('holds its alerts as they were while the other is away, says so, and goes on when it is back', async () => {
      const before = await manyOrders();
      await peer.stop();
      await eventually(async () => (await health()).every((one) => one === 'err'));
      const { data } = await get<Rules>('/api/v1/rules');
      expect(data.groups[0]!.rules[0]!.lastError).toMatch(/does not answer queries: .*ECONN/);
      expect(await get('/api/v1/query?query=up')).toMatchObject({
        status: 'error',
        errorType: 'unavailable',
      });
      expect(await manyOrders()).toEqual(before);

      await peer.start();
      await eventually(async () => (await health()).every((one) => one === 'ok'), 90_000);
      expect(await manyOrders()).toMatchObject({ state: 'firing', activeAt: before!.activeAt });
    });
  });
