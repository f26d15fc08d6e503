// Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ and
// kubernetes/pkg/controller/statefulset/stateful_set_control.go
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ManifestObject } from '../../../src/agent/pod/manifest/manifest-object.ts';
import type { Pod } from '../../../src/model/kubernetes.ts';
import type { StatefulSet } from '../../../src/model/kubernetes-workload.ts';
import { container, createStory, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

type Manifest = Extract<ManifestObject, { kind: 'StatefulSet' }>;

const readinessProbe = { exec: { command: ['true'] }, initialDelaySeconds: 2, periodSeconds: 1 };
function statefulSet(replicas: number, word = 'v1', spec: Partial<Manifest['spec']> = {}): Manifest {
  const labels = { app: 'db' };
  return {
    file: 'shop.yaml',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'shop' },
    spec: {
      replicas,
      serviceName: 'db',
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [container('app', { args: [word], readinessProbe })] },
      },
      ...spec,
    },
  };
}
const pods = () => story.manager.list('Pod', 'shop') as readonly Pod[];
const names = () => pods().map(({ metadata }) => metadata.name);
const words = () => pods().map(({ spec }) => spec.containers[0]?.args?.[0]);
const db = () => story.manager.get('StatefulSet', 'shop', 'db') as StatefulSet;
const created = () =>
  story.transitions.filter(({ kind }) => kind === 'pod-created').map(({ pod }) => pod.name);

describe('a StatefulSet', () => {
  it('makes its pods in order, each when the one before is ready', async () => {
    story = await createStory();
    await story.apply(statefulSet(3));
    await story.advance(1);
    expect(names()).toEqual(['db-0']);
    await story.advance(2.5);
    expect(names()).toEqual(['db-0', 'db-1']);
    await story.advance(10);
    expect(names()).toEqual(['db-0', 'db-1', 'db-2']);
    expect(pods()[1]?.metadata).toMatchObject({
      labels: {
        app: 'db',
        'statefulset.kubernetes.io/pod-name': 'db-1',
        'apps.kubernetes.io/pod-index': '1',
        'controller-revision-hash': db().status.updateRevision,
      },
      ownerReferences: [{ kind: 'StatefulSet', name: 'db', controller: true }],
    });
    expect(pods()[1]?.spec).toMatchObject({ hostname: 'db-1', subdomain: 'db' });
    expect(db().status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
    });
    expect(story.manager.views().workloads).toMatchObject([
      { name: 'db', type: 'statefulset', desired: 3, ready: 3 },
    ]);
  });

  it('managed in parallel makes them at once, and numbers them from ordinals.start', async () => {
    story = await createStory();
    await story.apply(statefulSet(3, 'v1', { podManagementPolicy: 'Parallel', ordinals: { start: 5 } }));
    await story.advance(0.1);
    expect(names()).toEqual(['db-5', 'db-6', 'db-7']);
  });

  it('makes a pod that is gone anew under its name', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) } });
    await story.apply(statefulSet(2));
    await story.advance(10);
    const before = pods()[0]!.metadata.uid;
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'db-0',
      request: { by: 'user', message: '' },
    });
    await story.advance(10);
    expect(names()).toEqual(['db-0', 'db-1']);
    expect(pods()[0]!.metadata.uid).not.toBe(before);
  });

  it('is scaled down from the last, one after another', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) } });
    await story.apply(statefulSet(3));
    await story.advance(15);
    await story.apply(statefulSet(1));
    await story.advance(0.5);
    const deleting = pods().filter(({ metadata }) => metadata.deletionTimestamp);
    expect(deleting.map(({ metadata }) => metadata.name)).toEqual(['db-2']);
    await story.advance(5);
    expect(names()).toEqual(['db-0']);
  });

  it('rolls out from the last to the first, each when the one after it is ready', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) } });
    await story.apply(statefulSet(3));
    await story.advance(15);
    await story.apply(statefulSet(3, 'v2'));
    await story.advance(3);
    expect(words()).toEqual(['v1', 'v1', 'v2']);
    expect(db().status.currentRevision).not.toBe(db().status.updateRevision);
    await story.advance(20);
    expect(words()).toEqual(['v2', 'v2', 'v2']);
    expect(created().slice(3)).toEqual(['db-2', 'db-1', 'db-0']);
    expect(db().status).toMatchObject({ updatedReplicas: 3, currentReplicas: 3 });
    expect(db().status.currentRevision).toBe(db().status.updateRevision);
    const deaths = story.transitions.filter(({ kind }) => kind === 'container-died');
    expect(deaths).toHaveLength(3);
    for (const death of deaths)
      expect(death).toMatchObject({ unrequested: false, killRequest: { by: 'rollout' } });
  });

  it('with a partition leaves the pods below it as they are, and makes them anew as they were', async () => {
    story = await createStory();
    await story.apply(statefulSet(3));
    await story.advance(15);
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } as const;
    await story.apply(statefulSet(3, 'v2', { updateStrategy }));
    await story.advance(15);
    expect(words()).toEqual(['v1', 'v1', 'v2']);
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'db-0',
      request: { by: 'user', message: '' },
    });
    await story.advance(10);
    expect(words()).toEqual(['v1', 'v1', 'v2']);
  });

  it('goes back to an earlier revision', async () => {
    story = await createStory();
    await story.apply(statefulSet(1));
    await story.advance(5);
    await story.apply(statefulSet(1, 'v2'));
    await story.advance(10);
    expect(words()).toEqual(['v2']);
    await story.manager.change({ kind: 'StatefulSet', namespace: 'shop', name: 'db' }, { verb: 'undo' });
    await story.advance(10);
    expect(words()).toEqual(['v1']);
    const revisions = story.manager.list('ControllerRevision', 'shop');
    expect(revisions.map((one) => 'revision' in one && one.revision).sort()).toEqual([2, 3]);
  });

  it('refuses a change of what cannot change', async () => {
    story = await createStory();
    await story.apply(statefulSet(1));
    await expect(
      story.manager.apply([statefulSet(1, 'v1', { serviceName: 'other' })], {}),
    ).rejects.toMatchObject({
      code: 'STATEFULSET_IMMUTABLE',
      message: expect.stringContaining('spec.serviceName: field is immutable'),
    });
  });

  for (const seconds of [0.2, 1.2, 2.5, 4, 6]) {
    it(`comes to the same end when the agent dies ${seconds} s into a rollout`, async () => {
      story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) }, writeMs: 5 });
      await story.apply(statefulSet(3));
      await story.advance(15);
      await story.apply(statefulSet(3, 'v2'));
      await story.advance(seconds);
      await story.sigkill(2);
      await story.advance(30);
      expect(words()).toEqual(['v2', 'v2', 'v2']);
      expect(names()).toEqual(['db-0', 'db-1', 'db-2']);
      expect([...story.runtime.running()].sort()).toEqual(['db-0/app', 'db-1/app', 'db-2/app']);
      expect(story.transitions.filter((one) => one.kind === 'container-died' && one.unrequested)).toEqual([]);
    });
  }
});

describe('a DaemonSet', () => {
  const daemonSet = (word: string, spec: object = {}): Extract<ManifestObject, { kind: 'DaemonSet' }> => {
    const { selector, template } = statefulSet(1, word).spec;
    return {
      file: 'shop.yaml',
      kind: 'DaemonSet',
      metadata: { name: 'log', namespace: 'shop' },
      spec: { selector, template, ...spec },
    };
  };
  const status = () => {
    const object = story.manager.get('DaemonSet', 'shop', 'log');
    return object?.kind === 'DaemonSet' ? object.status : undefined;
  };

  // Source: kubernetes/pkg/controller/daemon/update.go
  it('has one pod on the one node, and replaces it when its template changes', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) } });
    await story.apply(daemonSet('v1'));
    await story.advance(5);
    expect(words()).toEqual(['v1']);
    expect(status()).toMatchObject({ desiredNumberScheduled: 1, numberReady: 1, numberAvailable: 1 });
    await story.apply(daemonSet('v2'));
    await story.advance(0.5);
    expect(words()).toEqual(['v1']);
    await story.advance(5);
    expect(words()).toEqual(['v2']);
    expect(status()).toMatchObject({ updatedNumberScheduled: 1, numberUnavailable: 0 });
  });

  // Source: kubernetes/pkg/controller/daemon/util/daemonset_util.go, AddOrUpdateDaemonPodTolerations
  it('has its pod on a node that is cordoned, where no other pod comes', async () => {
    story = await createStory();
    story.manager.setUnschedulable(true);
    await story.apply(daemonSet('v1'), pod());
    await story.advance(5);
    expect(status()).toMatchObject({ numberReady: 1 });
    expect(story.pod().status.phase).toBe('Pending');
  });

  it('with maxSurge has the new pod available before the old one goes', async () => {
    story = await createStory();
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await story.apply(daemonSet('v1', { updateStrategy }));
    await story.advance(5);
    await story.apply(daemonSet('v2', { updateStrategy }));
    await story.advance(1);
    expect(words().sort()).toEqual(['v1', 'v2']);
    await story.advance(5);
    expect(words()).toEqual(['v2']);
  });
});

// Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention and
// kubernetes/pkg/controller/statefulset/stateful_set_utils.go, updateClaimOwnerRefForSetAndPod
describe('what becomes of the claims of a StatefulSet', () => {
  type Policy = NonNullable<Manifest['spec']['persistentVolumeClaimRetentionPolicy']>;
  const claiming = (replicas: number, policy: Policy = {}) =>
    statefulSet(replicas, 'v1', {
      podManagementPolicy: 'Parallel',
      volumeClaimTemplates: [{ metadata: { name: 'data' } }],
      persistentVolumeClaimRetentionPolicy: policy,
    });
  const data = (ordinal: number) => story.runtime.persistentVolume('shop', `data-db-${ordinal}`);
  const kept = async (ordinal: number) => existsSync(join(await data(ordinal), 'order-11'));
  const begin = async (replicas: number, policy?: Policy) => {
    story = await createStory({ lives: { app: () => ({ stopMs: 3000 }) } });
    await story.apply(claiming(replicas, policy));
    await story.advance(5);
    for (let ordinal = 0; ordinal < replicas; ordinal += 1)
      writeFileSync(join(await data(ordinal), 'order-11'), 'apples');
  };
  const scale = async (replicas: number, policy?: Policy, seconds = 10) => {
    await story.apply(claiming(replicas, policy));
    await story.advance(seconds);
  };
  const remove = () =>
    story.manager.delete({
      kind: 'StatefulSet',
      namespace: 'shop',
      name: 'db',
      request: { by: 'user', message: '' },
    });
  const removed = () => story.runtime.calls.filter((call) => call.startsWith('remove claim'));

  it('is nothing, unless it says so', async () => {
    await begin(2);
    await scale(1);
    remove();
    await story.advance(10);
    expect(removed()).toEqual([]);
    expect([await kept(0), await kept(1)]).toEqual([true, true]);
  });

  it('scaled down is their end when their pod is gone, not before; of those that stay it is not', async () => {
    const policy = { whenScaled: 'Delete' } as const;
    await begin(3, policy);
    await scale(1, policy, 1);
    expect(removed()).toEqual([]);
    await story.advance(10);
    expect(removed().sort()).toEqual(['remove claim shop/data-db-1', 'remove claim shop/data-db-2']);
    expect(story.workloadEvents.map(({ message }) => message)).toContain(
      'delete Claim data-db-2 in StatefulSet db successful',
    );
    await scale(2, policy);
    expect([await kept(0), await kept(1)]).toEqual([true, false]);
    remove();
    await story.advance(10);
    expect(await kept(0)).toBe(true);
  });

  it('scaled up again at once is a pod with new data', async () => {
    const policy = { whenScaled: 'Delete' } as const;
    await begin(2, policy);
    await scale(1, policy, 1);
    await scale(2, policy, 30);
    expect(removed()).toEqual(['remove claim shop/data-db-1']);
    expect(db().status.readyReplicas).toBe(2);
    expect(await kept(1)).toBe(false);
  });

  it('deleted is the end of all it had then, those scaled away included', async () => {
    const policy = { whenDeleted: 'Delete' } as const;
    await begin(3, policy);
    await scale(1, policy);
    expect(removed()).toEqual([]);
    // A pod that dies, or is replaced, keeps its data whatever the policy.
    story.runtime.kill('db-0', 'app', { exitCode: 1 });
    await story.advance(20);
    expect(await kept(0)).toBe(true);
    await story.sigkill(1);
    remove();
    await story.advance(10);
    expect(removed().sort()).toEqual([0, 1, 2].map((ordinal) => `remove claim shop/data-db-${ordinal}`));
  });

  it('scaled away under another policy stays', async () => {
    await begin(2, { whenDeleted: 'Retain' });
    await scale(1, { whenDeleted: 'Retain' });
    await scale(1, { whenDeleted: 'Delete' });
    remove();
    await story.advance(10);
    expect(removed()).toEqual(['remove claim shop/data-db-0']);
    expect(await kept(1)).toBe(true);
  });

  it('is decided once: an agent that dies meanwhile leaves it to the next', async () => {
    const policy = { whenScaled: 'Delete' } as const;
    await begin(2, policy);
    await scale(1, policy, 1);
    await story.sigkill(10);
    await story.advance(10);
    expect(removed()).toEqual(['remove claim shop/data-db-1']);
    expect([await kept(0), await kept(1)]).toEqual([true, false]);
  });

  it('waits for others that use them, and whoever comes then waits, too', async () => {
    const policy = { whenScaled: 'Delete' } as const;
    await begin(2, policy);
    const reads = (name: string) =>
      ({
        ...pod({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-1' } }] }),
        metadata: { name, namespace: 'shop' },
      }) as Extract<ManifestObject, { kind: 'Pod' }>;
    await story.apply(reads('backup'));
    await story.advance(1);
    await scale(1, policy);
    await story.apply(reads('late'));
    await story.advance(5);
    expect(removed()).toEqual([]);
    expect(await kept(1)).toBe(true);
    expect(story.pod('late').status.phase).toBe('Pending');
    expect(JSON.stringify(story.transitions)).toContain(
      'persistentvolumeclaim \\"data-db-1\\" is being deleted',
    );
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'backup',
      request: { by: 'user', message: '' },
    });
    await story.advance(60);
    expect(removed()).toEqual(['remove claim shop/data-db-1']);
    expect(story.pod('late').status.phase).toBe('Running');
  });

  it('is not decided by stopping: who starts again finds the data', async () => {
    await begin(2, { whenDeleted: 'Delete', whenScaled: 'Delete' });
    const stopped = story.manager.stop({ deletePods: true });
    await story.advance(60);
    await stopped;
    expect(removed()).toEqual([]);
    expect([await kept(0), await kept(1)]).toEqual([true, true]);
  });
});
