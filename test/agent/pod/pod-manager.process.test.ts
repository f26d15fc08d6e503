import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyValue } from '../../../src/agent/pod/key-value.ts';
import { parseManifests } from '../../../src/agent/pod/manifest/parse-manifests.ts';
import { createPodManager, type PodManager } from '../../../src/agent/pod/pod-manager.ts';
import { createProbeRunner } from '../../../src/agent/pod/prober/probe-runner.ts';
import { createProcessRuntime } from '../../../src/agent/pod/runtime/process/process-runtime.ts';
import type { Runtime } from '../../../src/agent/pod/runtime/runtime.ts';
import type { PodTransition } from '../../../src/agent/pod/transition.ts';
import type { Pod, Probe } from '../../../src/model/kubernetes.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { type Owner, removeDebris } from '../../support/debris.ts';
import { memoryKeyValue } from '../../support/memory-key-value.ts';
import { notRoot } from '../../support/parts.ts';
import { newOwner, until } from '../../support/process-pods.ts';

const SERVER = `
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
createServer((request, response) => {
  response.statusCode = request.url === '/healthz' && existsSync('/ward/sick') ? 503 : 200;
  response.end(process.env.CURRENCY);
}).listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

const MANIFEST = `
apiVersion: v1
kind: ConfigMap
metadata: {name: prices, namespace: shop}
data: {CURRENCY: EUR}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 5
      volumes: [{name: work, emptyDir: {}}, {name: conf, configMap: {name: prices}}]
      initContainers:
        - {name: check, command: [sh, -c, 'test "$(cat /conf/CURRENCY)" = EUR'], volumeMounts: [{name: conf, mountPath: /conf}]}
      containers:
        - name: web
          command: [node, web.mjs]
          envFrom: [{configMapRef: {name: prices}}]
          ports: [{name: http, containerPort: 8080}]
          volumeMounts: [{name: work, mountPath: /ward}]
          readinessProbe: {httpGet: {port: http}, periodSeconds: 1}
          livenessProbe: {httpGet: {port: http, path: /healthz}, periodSeconds: 1, failureThreshold: 2}
          startupProbe: {exec: {command: ['true']}, periodSeconds: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop}
spec:
  restartPolicy: Never
  containers: [{name: app, command: [sh, -c, 'exit 7']}]
`;

describe.skipIf(notRoot())('pods on real processes', () => {
  let owner: Owner;
  let folder: string;
  let keyValue: KeyValue;
  let runtime: Runtime;
  let manager: PodManager;
  let transitions: PodTransition[];

  async function startManager(): Promise<PodManager> {
    runtime = await createProcessRuntime({ ...owner, clock: systemClock });
    const made = createPodManager({
      runtime,
      clock: systemClock,
      keyValue,
      node: { name: 'node-11', ip: '127.0.0.1', cpuCores: 2, memoryBytes: 2 ** 32, diskBytes: 2 ** 36 },
      random: Math.random,
    });
    made.onTransition((transition) => transitions.push(transition));
    await made.start();
    return made;
  }

  beforeEach(async () => {
    owner = newOwner();
    folder = mkdtempSync(join(tmpdir(), 'podvitals-shop-'));
    writeFileSync(join(folder, 'web.mjs'), SERVER);
    keyValue = memoryKeyValue();
    transitions = [];
    manager = await startManager();
  });
  afterEach(async () => {
    try {
      await manager.stop({ deletePods: true });
    } finally {
      await removeDebris(owner);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const web = () => (manager.list('Pod', 'shop') as Pod[]).filter(({ metadata }) => metadata.name !== 'cart');
  const running = (uid: string) =>
    manager
      .views()
      .pods.find(({ ref }) => ref.uid === uid)
      ?.containers.find(({ name }) => name === 'web')?.running;
  const isReady = (pod: Pod) =>
    pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  const apply = () =>
    manager.apply(parseManifests([{ path: join(folder, 'shop.yaml'), text: MANIFEST }]).objects, { folder });

  it('start, become Ready by their probes, are killed by them, adopted, and leave nothing', async () => {
    await apply();
    await until('two Ready pods', () => web().filter(isReady).length === 2);
    const cart = await until('the end of cart', () => {
      const found = manager.get('Pod', 'shop', 'cart') as Pod;
      return found.status.phase === 'Failed' && found;
    });
    expect(cart.status.containerStatuses?.[0]?.state.terminated).toMatchObject({
      exitCode: 7,
      reason: 'Error',
    });

    const [sick, well] = web().map(({ metadata }) => metadata.uid) as [string, string];
    // The file appears in the pod's own volume, and its liveness probe fails.
    writeFileSync(`/proc/${running(sick)!.pid}/root/ward/sick`, '');
    const died = await until('the death of the sick pod', () =>
      transitions.find(
        (transition) =>
          transition.kind === 'container-died' &&
          transition.pod.uid === sick &&
          transition.container === 'web',
      ),
    );
    expect(died).toMatchObject({ exitCode: 0, unrequested: true, killRequest: { by: 'probe' } });

    await until('its restart', () => running(sick));
    const kept = running(well)!.id;
    await manager.stop({ deletePods: false });
    manager = await startManager();
    expect(running(well)!.id).toBe(kept);
    expect(web().map(({ metadata }) => metadata.uid)).toEqual(expect.arrayContaining([sick, well]));
    expect(manager.views().workloads.find(({ name }) => name === 'web')!.restarts).toBe(1);

    expect(await manager.stop({ deletePods: true })).toEqual([]);
    expect(keyValue.entries('pod/pods/')).toEqual([]);
  });

  it('are asked from within where they have no address', async () => {
    await apply();
    await until('two Ready pods', () => web().filter(isReady).length === 2);
    const { id } = running(web()[0]!.metadata.uid)!;
    const container = web()[0]!.spec.containers[0]!;
    const probe = createProbeRunner(runtime, systemClock);
    const ask = (asked: Probe) => probe(asked, { containerId: id, container }, new AbortController().signal);
    expect(await ask({ httpGet: { port: 'http', path: '/' } })).toMatchObject({ ok: true, message: '' });
    expect(await ask({ tcpSocket: { port: 'http' } })).toMatchObject({ ok: true });
    expect(await ask({ tcpSocket: { port: 8081 } })).toMatchObject({
      ok: false,
      message: 'dial tcp 127.0.0.1:8081: connect: connection refused',
    });
  });
});
