import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/model/kubernetes.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { notRoot } from '../support/parts.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from '../support/podvitals.ts';

const MANIFEST = `
apiVersion: v1
kind: Pod
metadata: {name: greedy, namespace: shop}
spec:
  containers:
    - name: app
      command: [sh, -c, 'held=$(head -c 9000000 /dev/zero | tr "\\0" x); sleep 1000']
      resources: {requests: {memory: 1Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: filler, namespace: shop}
spec:
  volumes: [{name: cache, emptyDir: {sizeLimit: 1Mi}}]
  containers:
    - name: app
      command: [sh, -c, 'head -c 5000000 /dev/zero > /cache/five; sleep 1000']
      resources: {requests: {memory: 64Mi}}
      volumeMounts: [{name: cache, mountPath: /cache}]
---
apiVersion: v1
kind: Pod
metadata: {name: careless, namespace: shop}
spec:
  containers: [{name: app, command: [sleep, '1000']}]
---
apiVersion: v1
kind: Pod
metadata: {name: huge, namespace: shop}
spec:
  containers:
    - name: app
      command: [sleep, '1000']
      resources: {requests: {cpu: '100000', memory: 1Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: needed, namespace: shop}
spec:
  priorityClassName: system-node-critical
  terminationGracePeriodSeconds: 1
  containers:
    - name: app
      command: [sleep, '1000']
      resources: {requests: {memory: 64Mi}}
`;

describe.skipIf(notRoot())('a node that is short of memory', () => {
  const data = temporaryDataDir();
  let podvitals: Podvitals;
  const pod = async (name: string) =>
    JSON.parse((await podvitals.command('get', 'pod', `shop/${name}`, '-o', 'json')).out) as Pod;

  beforeAll(async () => {
    const file = join(data.path, 'shop.yaml');
    writeFileSync(file, MANIFEST);
    podvitals = await startPodvitals({
      dataDir: data.path,
      ports: await freePorts(),
      files: [file],
      // Whatever this machine has, it counts as short.
      agent: { interval: '1s', evictionHard: { 'memory.available': '100%', 'nodefs.available': '0' } },
      collector: { evaluationInterval: '1s' },
    });
  });
  afterAll(async () => {
    await podvitals?.stop();
    data.remove();
  });

  it('evicts the pod that uses more than it asked for, and tells why, with an alert', async () => {
    const greedy = await until('greedy is evicted', 90_000, async () => {
      const found = await pod('greedy');
      return found.status.phase === 'Failed' && found;
    });
    expect(greedy.status.reason).toBe('Evicted');
    expect(greedy.status.message).toMatch(
      /^The node was low on resource: memory\. .*Container app was using/,
    );
    await until('the alert fires', 60_000, async () => {
      const { data: answer } = await podvitals.json<{
        data: { alerts: { state: string; labels: Record<string, string> }[] };
      }>('/api/v1/alerts');
      return answer.alerts.some(
        ({ state, labels }) =>
          state === 'firing' && labels.alertname === 'PodEvicted' && labels.pod === 'greedy',
      );
    });
    const { verdict } = await until('the cause is named', 60_000, async () => {
      const answer = await podvitals.json<{ verdict: Verdict }>('/api/pods/shop/greedy/why');
      return answer.verdict.failureMode === 'F5' && answer;
    });
    expect(verdict.cause).toBe('EvictedMemory');
  });

  it('evicts the pod that fills its volume beyond its limit', async () => {
    const filler = await until('filler is evicted', 90_000, async () => {
      const found = await pod('filler');
      return found.status.phase === 'Failed' && found;
    });
    expect(filler.status.message).toContain('Usage of EmptyDir volume "cache" exceeds the limit "1Mi"');
  });

  it('lets in nobody who asked for nothing, nor who asks for more than there is, and says so', async () => {
    const scheduled = async (name: string) =>
      (await pod(name)).status.conditions.find(({ type }) => type === 'PodScheduled');
    expect(await scheduled('careless')).toMatchObject({
      status: 'False',
      message: expect.stringContaining('untolerated taint {node.kubernetes.io/memory-pressure: }'),
    });
    expect(await scheduled('huge')).toMatchObject({
      status: 'False',
      message: expect.stringContaining('1 Insufficient cpu'),
    });
    const { verdict } = await podvitals.json<{ verdict: Verdict }>('/api/pods/shop/huge/why');
    expect(verdict).toMatchObject({ cause: 'Unschedulable', failureMode: 'F9' });
  });

  it('shows its state to people and to Prometheus', async () => {
    const nodes = await podvitals.command('get', 'nodes');
    expect(nodes.out).toMatch(/^NAME +STATUS +ROLES +AGE +VERSION\ntest-node +Ready +<none>/);
    const described = await podvitals.command('describe', 'node');
    expect(described.out).toMatch(/MemoryPressure +True +KubeletHasInsufficientMemory/);
    const metrics = await (await fetch(`${podvitals.agentUrl}/metrics/kube-state-metrics`)).text();
    expect(metrics).toContain(
      'kube_node_status_condition{node="test-node",condition="MemoryPressure",status="true"} 1',
    );
  });

  it('is cordoned, drained within what its owner agrees to, and uncordoned', async () => {
    const refused = await podvitals.command('drain');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(
      'nobody would make these pods again (use --force to evict them): shop/needed',
    );
    const drained = await podvitals.command('drain', '--force', '--delete-emptydir-data');
    expect(drained.out).toMatch(/^node\/test-node cordoned\n(evicting|pod\/)/);
    expect(drained.out).toMatch(/node\/test-node drained\n$/);
    // Those that wait for a place are not on the node.
    const left = (await podvitals.command('get', 'pods', '-n', 'shop')).out.trim().split('\n').slice(1);
    expect(left.map((line) => line.split(/ +/)[0])).toEqual(['careless', 'huge']);
    expect((await podvitals.command('get', 'nodes')).out).toContain('Ready,SchedulingDisabled');
    expect((await podvitals.command('uncordon')).out).toBe('node/test-node uncordoned\n');
    expect((await podvitals.command('uncordon')).out).toBe('node/test-node already uncordoned\n');
  });
});
