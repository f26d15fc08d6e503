import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifests } from '../../../src/agent/pod/manifest/parse-manifests.ts';
import { createPodManager, type PodManager } from '../../../src/agent/pod/pod-manager.ts';
import { createProcessRuntime } from '../../../src/agent/pod/runtime/process/process-runtime.ts';
import type { Runtime } from '../../../src/agent/pod/runtime/runtime.ts';
import type { Pod } from '../../../src/model/kubernetes.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { findDebris, noDebris, type Owner, removeDebris } from '../../support/debris.ts';
import { memoryKeyValue } from '../../support/memory-key-value.ts';
import { notRoot } from '../../support/parts.ts';
import { newOwner, until } from '../../support/process-pods.ts';

// Says its name on TCP 8080 and UDP 5353, and is ready for as long as a file of its volume says so.
const SERVER = `
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { hostname } from 'node:os';
createServer({ allowHalfOpen: true }, (client) => { client.on('error', () => {}); let text = ''; client.on('data', (bytes) => { text += bytes; }); client.on('end', () => client.end(hostname() + ' ' + text.length)); }).listen(8080);
const socket = createSocket('udp4').bind(5353);
socket.on('message', (text, { port, address }) => socket.send(hostname() + ' ' + text, port, address));
`;
// Asks by name, again and again.
const CLIENT = `
import { connect } from 'node:net';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
const ask = () => new Promise((resolve) => {
  const socket = connect({ host: 'front', port: 80, allowHalfOpen: true }, () => socket.end('x'.repeat(300000)));
  let text = '';
  socket.on('data', (bytes) => { text += bytes; });
  socket.on('end', () => resolve('tcp ' + text));
  socket.on('error', (error) => resolve('tcp ' + error.code));
});
const askUdp = async () => {
  const { address } = await lookup('front.shop.svc');
  const socket = createSocket('udp4').bind();
  await once(socket, 'listening');
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(500) });
  socket.send('hello', 53, address, () => {});
  const words = await answer.then(([text]) => String(text), () => 'nothing');
  socket.close();
  return 'udp ' + words;
};
for (;;) { for (const line of await Promise.all([ask(), askUdp().catch(({ code }) => 'udp ' + code)])) console.log(line); await new Promise((resolve) => setTimeout(resolve, 20)); }
`;

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec:
  selector: {app: web}
  ports:
    - {name: web, port: 80, targetPort: http}
    - {name: dns, port: 53, targetPort: 5353, protocol: UDP}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  podManagementPolicy: Parallel
  serviceName: front
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      volumes: [{name: state, emptyDir: {}}]
      containers:
        - name: app
          command: [node, server.mjs]
          ports: [{name: http, containerPort: 8080}]
          volumeMounts: [{name: state, mountPath: /state}]
          readinessProbe:
            exec: {command: [test, '!', -e, /state/busy]}
            periodSeconds: 1
            failureThreshold: 1
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: app, command: [node, client.mjs]}]
`;

describe.skipIf(notRoot())('a Service of real pods whose ports are other ones than theirs', () => {
  let owner: Owner;
  let folder: string;
  let runtime: Runtime;
  let manager: PodManager;
  const keyValue = memoryKeyValue();
  const errors: unknown[] = [];

  const begin = async () => {
    runtime = await createProcessRuntime({ ...owner, clock: systemClock });
    manager = createPodManager({
      runtime,
      clock: systemClock,
      keyValue,
      node: { name: 'node-11', ip: '127.0.0.1', cpuCores: 2, memoryBytes: 2 ** 32, diskBytes: 2 ** 36 },
      random: Math.random,
      onError: (error) => errors.push(error),
    });
    await manager.start();
  };
  beforeAll(async () => {
    owner = newOwner();
    folder = mkdtempSync(join(tmpdir(), 'podvitals-service-'));
    writeFileSync(join(folder, 'server.mjs'), SERVER);
    writeFileSync(join(folder, 'client.mjs'), CLIENT);
    await begin();
    await manager.apply(parseManifests([{ path: 'shop.yaml', text: MANIFEST }]).objects, { folder });
  });
  afterAll(async () => {
    try {
      await manager.stop({ deletePods: true });
      expect(findDebris(owner)).toEqual(noDebris);
      expect(errors).toEqual([]);
    } finally {
      await removeDebris(owner);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const uidOf = (name: string) => (manager.get('Pod', 'shop', name) as Pod).metadata.uid;
  const exec = (pod: string, ...command: readonly string[]) =>
    runtime.exec(manager.view(uidOf(pod))!.containers[0]!.running!.id, command, { timeoutMs: 60_000 });
  /** Once the client was answered by exactly these, for six answers of each protocol in a row. */
  const answeredBy = (...wanted: readonly string[]) =>
    until(`answers of ${wanted}`, async () => {
      if (manager.view(uidOf('client'))?.containers[0]?.running === undefined) return false;
      const lines = (await runtime.logs(uidOf('client'), 'app', 0, { tail: 12 })).map(({ text }) => text);
      return lines.length === 12 && [...new Set(lines)].sort().join() === [...wanted].sort().join();
    });
  const tcp = (name: string) => `tcp ${name} 300000`;
  const udp = (name: string) => `udp ${name} hello`;
  const clusterIp = () => {
    const service = manager.get('Service', 'shop', 'front');
    return service?.kind === 'Service' ? service.spec.clusterIP! : '';
  };

  it('spreads connections and datagrams to its port over the ready pods, whole, by their own port', async () => {
    await answeredBy(tcp('web-0'), tcp('web-1'), udp('web-0'), udp('web-1'));
  });

  it('leads to those only that are ready, and refuses where none is', async () => {
    await exec('web-0', 'touch', '/state/busy');
    await answeredBy(tcp('web-1'), udp('web-1'));
    await exec('web-1', 'touch', '/state/busy');
    await answeredBy('tcp ECONNREFUSED', 'udp nothing');
    await exec('web-0', 'rm', '/state/busy');
    await answeredBy(tcp('web-0'), udp('web-0'));
  });

  it('is reached from the host, whose own port of that number stays free', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: clusterIp(), port: 80, allowHalfOpen: true }, () => socket.end('abc'));
      socket.on('data', (bytes) => resolve(String(bytes)));
      socket.on('error', reject);
    });
    expect(answer).toBe('web-0 3');
  });

  it('is at the same address when another agent takes over', async () => {
    const before = clusterIp();
    await manager.stop({ deletePods: false });
    await begin();
    await until('its address', () => clusterIp() === before);
    await answeredBy(tcp('web-0'), udp('web-0'));
  });

  it('has its address no more when it is deleted', async () => {
    await manager.delete({
      kind: 'Service',
      namespace: 'shop',
      name: 'front',
      request: { by: 'user', message: '' },
    }).gone;
    await until('its name is gone', async () => {
      const { stdout } = await exec('client', 'cat', '/etc/hosts');
      return !/\bfront\b/.test(stdout);
    });
  });
});
