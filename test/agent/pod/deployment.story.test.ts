// Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
import { afterEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../../src/model/kubernetes.ts';
import type { Deployment } from '../../../src/model/kubernetes-workload.ts';
import { container, createStory, deployment, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

const pods = () => story.manager.list('Pod', 'shop') as readonly Pod[];
const web = () => story.manager.get('Deployment', 'shop', 'web') as Deployment;
const request = { by: 'user', message: 'deleted' } as const;

describe('a Deployment', () => {
  it('keeps as many pods as it wants, named and owned as kubectl shows', async () => {
    story = await createStory();
    await story.apply(deployment(3));
    expect(pods()).toHaveLength(3);
    for (const { metadata } of pods()) {
      expect(metadata.name).toMatch(
        /^web-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/,
      );
      const replicaSet = metadata.name.slice(0, -6);
      expect(metadata.ownerReferences).toMatchObject([
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: replicaSet, controller: true },
      ]);
      expect(metadata.labels).toEqual({
        'app.kubernetes.io/name': 'web',
        'pod-template-hash': replicaSet.slice(4),
      });
    }
    expect(web().status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      updatedReplicas: 3,
      unavailableReplicas: 0,
    });
    expect(story.manager.views().pods[0]?.ref).toMatchObject({ workload: 'web', workloadType: 'deployment' });
  });

  it('replaces a pod that is deleted', async () => {
    story = await createStory();
    await story.apply(deployment(2));
    const { name } = pods()[0]!.metadata;
    story.manager.delete({ kind: 'Pod', namespace: 'shop', name, request });
    await story.advance(5);
    expect(pods()).toHaveLength(2);
    expect(pods().map(({ metadata }) => metadata.name)).not.toContain(name);
  });

  it('is not changed by applying the same again', async () => {
    story = await createStory();
    await story.apply(deployment(2));
    const before = pods().map(({ metadata }) => metadata.uid);
    expect(await story.manager.apply([deployment(2)], { folder: '/srv/shop' })).toEqual([
      { kind: 'Deployment', namespace: 'shop', name: 'web', action: 'unchanged' },
    ]);
    await story.advance(5);
    expect(pods().map(({ metadata }) => metadata.uid)).toEqual(before);
    expect(web().metadata.generation).toBe(1);
  });

  it('is scaled down and up without touching the pods that stay', async () => {
    story = await createStory();
    await story.apply(deployment(3));
    await story.apply(deployment(1));
    await story.advance(5);
    const [{ metadata: kept }] = pods() as [Pod];
    await story.apply(deployment(2));
    await story.advance(5);
    expect(pods()).toHaveLength(2);
    expect(pods().map(({ metadata }) => metadata.uid)).toContain(kept.uid);
  });

  it('replaces its pods one by one when its template changes, each when the one before is Ready', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) } });
    await story.apply(deployment(3));
    await story.advance(10);
    await story.apply(deployment(3, { containers: [container('app', { args: ['--fast'] })] }));
    const least: number[] = [];
    for (let second = 0; second < 20; second += 1) {
      await story.advance(1);
      least.push(
        pods().filter(({ metadata, status }) => !metadata.deletionTimestamp && status.phase === 'Running')
          .length,
      );
    }
    expect(Math.min(...least)).toBeGreaterThanOrEqual(2);
    expect(web().status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3 });
    const deaths = story.transitions.filter(({ kind }) => kind === 'container-died');
    expect(deaths).toHaveLength(3);
    for (const death of deaths)
      expect(death).toMatchObject({ killRequest: { by: 'rollout' }, unrequested: false });
  });

  it('takes its pods along when it is deleted', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 4000 }) } });
    await story.apply(deployment(2));
    const { gone } = story.manager.delete({ kind: 'Deployment', namespace: 'shop', name: 'web', request });
    expect(web()).toBeUndefined();
    await story.advance(5);
    await gone;
    expect(pods()).toEqual([]);
    expect(story.manager.views().workloads).toEqual([]);
    expect(story.keyValue.entries('pod/objects/')).toEqual([]);
  });

  it('whose selector changes is refused', async () => {
    story = await createStory();
    await story.apply(deployment(1));
    const other = deployment(1);
    const changed = { ...other, spec: { ...other.spec, selector: { matchLabels: { app: 'web' } } } };
    await expect(story.manager.apply([changed], {})).rejects.toMatchObject({ code: 'DEPLOYMENT_IMMUTABLE' });
  });
});

describe('applying a bare pod again', () => {
  it('changes nothing when it is the same', async () => {
    story = await createStory();
    await story.apply(pod());
    const applied = await story.manager.apply([pod()], { folder: '/srv/shop' });
    expect(applied[0]?.action).toBe('unchanged');
    expect(story.status().restartCount).toBe(0);
  });

  it('is refused with the field and the remedy when it is not', async () => {
    story = await createStory();
    await story.apply(pod());
    const other = pod({ containers: [container('app', { args: ['--fast'] })] });
    await expect(story.manager.apply([other], { folder: '/srv/shop' })).rejects.toMatchObject({
      code: 'POD_IMMUTABLE',
      message: expect.stringMatching(
        /spec\.containers\[0\]\.args: Forbidden.*podvitals delete pod cart -n shop/,
      ),
    });
  });

  it('takes labels over', async () => {
    story = await createStory();
    await story.apply(pod());
    const labelled = { ...pod(), metadata: { ...pod().metadata, labels: { team: 'checkout' } } };
    const applied = await story.manager.apply([labelled], { folder: '/srv/shop' });
    expect(applied[0]?.action).toBe('configured');
    expect(story.pod().metadata.labels).toEqual({ team: 'checkout' });
    expect(story.manager.views().workloads[0]?.podLabels).toEqual({ team: 'checkout' });
  });
});

describe('stopping the manager', () => {
  it('with deletePods ends every pod and keeps no object', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 3000 }) } });
    await story.apply(deployment(2), pod());
    const stopped = story.manager.stop({ deletePods: true });
    await story.advance(10);
    expect(await stopped).toEqual([]);
    expect(story.runtime.running()).toEqual([]);
    expect(story.keyValue.entries('pod/pods/')).toEqual([]);
    expect(story.keyValue.entries('pod/objects/')).toEqual([]);
    const deaths = story.transitions.filter(({ kind }) => kind === 'container-died');
    for (const death of deaths) expect(death).toMatchObject({ killRequest: { by: 'shutdown' } });
  });

  it('is bounded by the grace of the pods, and names what could not be ended', async () => {
    story = await createStory({ lives: { app: () => ({ unstoppable: true }) } });
    await story.apply(pod({ terminationGracePeriodSeconds: 5 }));
    const stopped = story.manager.stop({ deletePods: true });
    await story.advance(16);
    expect(await stopped).toMatchObject([{ name: 'cart' }]);
  });

  it('without deletePods leaves them to the next agent', async () => {
    story = await createStory();
    await story.apply(deployment(2));
    const stopped = story.manager.stop({ deletePods: false });
    await story.advance(1);
    await stopped;
    await story.sigkill(60);
    expect(story.runtime.running()).toHaveLength(2);
    expect(web().status.readyReplicas).toBe(2);
  });
});
