import { createAdmissions } from '../../../src/collector/admissions.ts';
import { remoteWriteRoutes } from '../../../src/collector/api/remote-write.ts';
import { startRemoteWrite } from '../../../src/collector/remote-write/remote-write.ts';
import { createStore } from '../../../src/collector/tsdb/store.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { createRemoteWriteClient } from '../../../src/wire/prometheus/remote-write-client.ts';
import { createRemoteWriteReceiver } from '../../../src/wire/prometheus/remote-write-receiver.ts';

/** Takes remote write and sends it on, in a process that can be killed: store, route, destination. */
const [path, port, writeUrl] = [process.argv[2]!, Number(process.argv[3]), process.argv[4]!];
const clock = systemClock;
const store = createStore({ path, clock });
await startRemoteWrite({
  targets: [
    {
      name: 'peer',
      client: createRemoteWriteClient({ url: writeUrl, headers: {}, timeoutMs: 10_000 }, clock),
      maxBytes: 2 ** 26,
      maxAgeMs: 3_600_000,
    },
  ],
  log: store.commits,
  keyValue: store.keyValue,
  clock,
  random: Math.random,
});
// Chunks settle and commits are let go while it runs.
setInterval(() => void store.maintain(), 50);
const server = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port } });
await server.app.register(
  remoteWriteRoutes(createRemoteWriteReceiver({ store, clock }), createAdmissions(clock).remote_write),
);
process.stdout.write(`${await server.listen()}\n`);
