import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueryApi } from '../../../src/collector/query-api/query-api.ts';
import { type RemoteWrite, startRemoteWrite } from '../../../src/collector/remote-write/remote-write.ts';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { encodeLabels, toLabels } from '../../../src/model/labels.ts';
import { listOf } from '../../../src/model/sample.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createRemoteWriteClient } from '../../../src/wire/prometheus/remote-write-client.ts';
import { eventually } from '../../support/eventually.ts';
import { missing } from '../../support/parts.ts';
import { createPeer, type Peer, type PeerKind } from '../../support/peer.ts';

const now = Math.floor(Date.now() / 1000) * 1000;
const keyOf = (labels: Record<string, string>) => encodeLabels(toLabels(labels));

for (const kind of ['prometheus', 'victoria-metrics'] as const satisfies readonly PeerKind[])
  describe.skipIf(missing(kind))(`remote write to a real ${kind}`, () => {
    let peer: Peer;
    let folder: string;
    let store: Tsdb;
    let remoteWrite: RemoteWrite;
    beforeAll(async () => {
      peer = await createPeer(kind);
      await peer.start();
    });
    afterAll(() => peer?.remove());

    const open = async () => {
      store = createStore({ path: join(folder, 'collector.db'), clock: systemClock });
      const clock = {
        ...systemClock,
        setTimer: ((ms, run, options) =>
          systemClock.setTimer(Math.min(ms, 50), run, options)) as typeof systemClock.setTimer,
      };
      const client = createRemoteWriteClient(
        { url: peer.writeUrl, headers: {}, timeoutMs: 10_000 },
        systemClock,
      );
      const target = { name: 'peer', client, maxBytes: 2 ** 20, maxAgeMs: 3_600_000 };
      remoteWrite = await startRemoteWrite({
        targets: [target],
        log: store.commits,
        keyValue: store.keyValue,
        clock,
        random: () => 0.5,
      });
    };
    const close = async () => {
      await remoteWrite.close();
      await store.close();
    };
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'podvitals-remote-write-'));
      await open();
    });
    afterEach(async () => {
      await close();
      rmSync(folder, { recursive: true });
    });

    const commit = async (
      labels: Record<string, string>,
      samples: readonly (readonly [second: number, value: number | 'stale'])[],
    ) => {
      const appender = store.appender();
      const ref = appender.reference(keyOf(labels));
      for (const [second, value] of samples) {
        if (value === 'stale') appender.appendStale(ref, now + second * 1000);
        else appender.append(ref, now + second * 1000, value);
      }
      await appender.commit();
    };
    const sent = (samples: number) =>
      eventually(() => {
        const { waitingCommits, ...stats } = remoteWrite.stats()[0]!;
        return waitingCommits === 0 && stats.sent + stats.refused >= samples;
      });
    /** Samples there, as `value@second …` by series. */
    const found = async (expr: string, atMs = now + 1000) => {
      await peer.flush();
      const { value } = await createQueryApi({ url: peer.url, headers: {}, clock: systemClock }).query(
        expr,
        atMs,
      );
      if (value.type !== 'matrix') throw new Error(value.type);
      return value.series.map(
        ({ labels, samples }) =>
          `${labels.map(([name, text]) => `${name}=${text}`).join(',')} ${listOf(samples)
            .map(({ t, v }) => `${v}@${(t - now) / 1000}`)
            .join(' ')}`,
      );
    };

    it('brings over every sample that is committed, with its labels as they are', async () => {
      await commit({ __name__: 'http_requests_total', pod: 'cart-ü', code: '200' }, [
        [-30, 11],
        [-15, 0.1],
        [0, 12e9],
      ]);
      await sent(3);
      expect(await found('http_requests_total[5m]')).toEqual([
        '__name__=http_requests_total,code=200,pod=cart-ü 11@-30 0.1@-15 12000000000@0',
      ]);
      expect(remoteWrite.stats()[0]).toMatchObject({ sent: 3, refused: 0, dropped: 0, lastError: undefined });
    });

    it('ends a series there where it ended here', async () => {
      await commit({ __name__: 'ended' }, [
        [-30, 11],
        [-15, 'stale'],
      ]);
      await sent(2);
      await peer.flush();
      const api = createQueryApi({ url: peer.url, headers: {}, clock: systemClock });
      expect((await api.query('ended', now - 20_000)).value).toMatchObject({ samples: [{ v: 11 }] });
      expect((await api.query('ended', now)).value).toEqual({ type: 'vector', samples: [] });
    });

    it('keeps what is committed while nobody answers, over a restart, and brings it over in order', async () => {
      await commit({ __name__: 'while_away' }, [[-60, 1]]);
      await sent(1);
      await peer.stop();
      for (let second = -50; second <= 0; second += 10)
        await commit({ __name__: 'while_away' }, [[second, second]]);
      await eventually(() => remoteWrite.stats()[0]!.retries > 0);
      expect(remoteWrite.stats()[0]).toMatchObject({
        waitingCommits: 6,
        lastError: expect.stringMatching(/ECONNREFUSED/),
      });
      await close();
      await open();
      await peer.start();
      await sent(6);
      expect(remoteWrite.stats()[0]).toMatchObject({ sent: 6, refused: 0, dropped: 0 });
      expect(await found('while_away[5m]')).toEqual([
        '__name__=while_away 1@-60 -50@-50 -40@-40 -30@-30 -20@-20 -10@-10 0@0',
      ]);
    });

    it.runIf(kind === 'prometheus')(
      'loses few samples beside one that is refused, and says how many',
      async () => {
        await commit({ __name__: 'late' }, [[0, 1]]);
        await sent(1);
        // Our store takes samples that are ten minutes late; this Prometheus takes none.
        const appender = store.appender();
        for (let i = 0; i < 100; i += 1)
          appender.append(appender.reference(keyOf({ __name__: 'beside', i: String(i) })), now, i);
        appender.append(appender.reference(keyOf({ __name__: 'late' })), now - 30_000, 2);
        for (let i = 100; i < 200; i += 1)
          appender.append(appender.reference(keyOf({ __name__: 'beside', i: String(i) })), now, i);
        await appender.commit();
        await sent(202);
        expect(await found('beside[1m]')).toHaveLength(200);
        expect(remoteWrite.stats()[0]).toMatchObject({
          sent: 201,
          refused: 1,
          lastError: undefined,
        });
      },
    );
  });
