import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/model/kubernetes.ts';
import type { Deployment } from '../../src/model/kubernetes-workload.ts';
import { notRoot } from '../support/parts.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from '../support/podvitals.ts';

/** Pods of v2 are not ready before the gate is open: a rollout stands in its middle for as long as it is shut. */
const manifest = (version: string, gate: string) => `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: rolled }
spec: { selector: { app: web }, ports: [{ port: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: rolled }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 2
      containers:
        - name: app
          command: [sh, -c, 'trap "exit 0" TERM; while :; do sleep 0.1; done']
          env: [{ name: VERSION, value: ${version} }]
          readinessProbe:
            exec: { command: [sh, -c, 'test "$VERSION" = v1 || test -e /gate/open'] }
            periodSeconds: 1
          volumeMounts: [{ name: gate, mountPath: /gate }]
      volumes: [{ name: gate, hostPath: { path: '${gate}' } }]
---
apiVersion: batch/v1
kind: Job
metadata: { name: ask, namespace: rolled }
spec:
  backoffLimit: 100
  template:
    spec:
      restartPolicy: OnFailure
      containers:
        - name: app
          command: [sh, -c, 'getent hosts web.rolled.svc.cluster.local && getent ahostsv4 web']
`;

describe.skipIf(notRoot())('a rollout of real processes', () => {
  let dataDir: ReturnType<typeof temporaryDataDir>;
  let file: string;
  let gate: string;
  let ports: Awaited<ReturnType<typeof freePorts>>;
  let podvitals: Podvitals | undefined;

  const start = async () => {
    podvitals = await startPodvitals({
      dataDir: dataDir.path,
      ports,
      halves: 'agent',
      agent: { backOff: { base: '1s', cap: '1s' } },
      env: { OTEL_TRACES_EXPORTER: 'none' },
    });
  };
  beforeEach(async () => {
    dataDir = temporaryDataDir();
    file = join(dataDir.path, 'web.yaml');
    gate = join(dataDir.path, 'gate');
    mkdirSync(gate);
    ports = await freePorts();
    await start();
  });
  afterEach(async () => {
    await podvitals?.stop();
    dataDir.remove();
  }, 60_000);

  const items = async <T>(kind: string) =>
    (
      JSON.parse((await podvitals!.command('get', kind, '-n', 'rolled', '-o', 'json')).out) as {
        readonly items: readonly T[];
      }
    ).items;
  const webPods = async () =>
    (await items<Pod>('pods')).filter(({ metadata }) => metadata.labels?.app === 'web');
  const apply = async (version: string) => {
    writeFileSync(file, manifest(version, gate));
    const { code, err } = await podvitals!.command('apply', '-f', file);
    expect(code, err).toBe(0);
  };

  it('is told by its controllers: events, and describe of each kind', async () => {
    await podvitals?.stop();
    podvitals = await startPodvitals({ dataDir: dataDir.path, ports, env: { OTEL_TRACES_EXPORTER: 'none' } });
    await apply('v1');
    await podvitals.command('rollout', 'status', 'deploy/web', '-n', 'rolled');
    const printed = async (...args: readonly string[]) => (await podvitals!.command(...args)).out;
    await until('the events', 60_000, async () =>
      /deployment\/rolled\/web +Scaled up replica set web-\w+ from 0 to 2/.test(
        await printed('events', '-n', 'rolled', '--for', 'deployment/web'),
      ),
    );
    const described = await printed('describe', 'deploy/web', '-n', 'rolled');
    expect(described).toMatch(/^NewReplicaSet: +web-\w+ \(2\/2 replicas created\)$/m);
    expect(described).toMatch(/^Events:\n {2}Normal +ScalingReplicaSet +\S+ +Scaled up replica set/m);
    expect(described).not.toContain('Created pod');
    // Of its two pods one is chosen.
    const said = await podvitals.command(
      'exec',
      'deploy/web',
      '-n',
      'rolled',
      '--',
      'sh',
      '-c',
      'echo $VERSION',
    );
    expect(said).toMatchObject({ code: 0, out: 'v1\n' });
    const [set] = await items<{ readonly metadata: { readonly name: string } }>('replicasets');
    expect(await printed('describe', 'rs', set!.metadata.name, '-n', 'rolled')).toMatch(
      /^Events:\n( {2}Normal +SuccessfulCreate +\S+ +Created pod: web-\S+\n){2}$/m,
    );
    expect(await printed('describe', 'service/web', '-n', 'rolled')).toMatch(/^Endpoints: +\S+/m);
    expect(await printed('describe', 'job/ask', '-n', 'rolled')).toMatch(
      /SuccessfulCreate +\S+ +Created pod: ask-/,
    );
    // Told once and then counted, as only their numbers differ: what was counted is told at the end, without trouble.
    for (const replicas of ['3', '4'])
      await podvitals.command('scale', 'deployment/web', '-n', 'rolled', '--replicas', replicas);
    await podvitals.stop();
    expect(podvitals.output()).not.toContain('"level":"error"');
  });

  it('goes on after kill -9 in its middle, takes back what undo asks for, and its Service has a name in pods', async () => {
    await apply('v1');
    expect(await podvitals!.command('rollout', 'status', 'deploy/web', '-n', 'rolled')).toMatchObject({
      code: 0,
    });
    await apply('v2');
    await until('the rollout is in its middle', 60_000, async () => (await webPods()).length === 3);
    await podvitals!.kill();
    await start();
    expect(await webPods()).toHaveLength(3);
    writeFileSync(join(gate, 'open'), '');
    const rolled = await podvitals!.command('rollout', 'status', 'deployment/web', '-n', 'rolled');
    expect(rolled.out).toContain('deployment "web" successfully rolled out');

    await until('the old pods are gone', 60_000, async () => (await webPods()).length === 2);
    for (const { spec, status } of await webPods()) {
      expect(spec.containers[0]?.env?.[0]?.value).toBe('v2');
      expect(status.containerStatuses?.[0]?.restartCount).toBe(0);
    }
    const [web] = await items<Deployment>('deployments');
    expect(web?.status).toMatchObject({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 });

    expect(await podvitals!.command('rollout', 'undo', 'deploy/web', '-n', 'rolled')).toMatchObject({
      code: 0,
    });
    expect(await podvitals!.command('rollout', 'status', 'deploy/web', '-n', 'rolled')).toMatchObject({
      code: 0,
    });
    expect((await webPods()).some(({ spec }) => spec.containers[0]?.env?.[0]?.value === 'v1')).toBe(true);
    const history = await podvitals!.command('rollout', 'history', 'deploy/web', '-n', 'rolled');
    expect(history.out).toMatch(/REVISION {3}CHANGE-CAUSE\n2 {10}<none>\n3 {10}<none>\n/);

    await until('the Job has found the name', 60_000, async () => {
      const { out } = await podvitals!.command('get', 'job', 'ask', '-n', 'rolled');
      return /Complete +1\/1/.test(out);
    });
  }, 240_000);
});
