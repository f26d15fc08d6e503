// Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ and
// kubernetes/pkg/controller/deployment: rolling.go, recreate.go, sync.go, progress.go
import { afterEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../../src/model/kubernetes.ts';
import type { Deployment, ReplicaSet } from '../../../src/model/kubernetes-workload.ts';
import { container, createStory, deployment, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

const pods = () => story.manager.list('Pod', 'shop') as readonly Pod[];
const web = () => story.manager.get('Deployment', 'shop', 'web') as Deployment;
const sets = () => story.manager.list('ReplicaSet', 'shop') as readonly ReplicaSet[];
const condition = (type: string) => web().status.conditions?.find((one) => one.type === type);
const revision = (object: Deployment | ReplicaSet) =>
  object.metadata.annotations?.['deployment.kubernetes.io/revision'];
const isLive = ({ metadata, status }: Pod) =>
  !metadata.deletionTimestamp &&
  status.conditions.some((one) => one.type === 'Ready' && one.status === 'True');
const change = (
  verb: 'restart' | 'pause' | 'resume' | 'undo' | 'scale',
  rest: { toRevision?: number; replicas?: number } = {},
) =>
  story.manager.change({ kind: 'Deployment', namespace: 'shop', name: 'web' }, {
    verb,
    ...rest,
  } as Parameters<Story['manager']['change']>[1]);

/** Ready a second after the start. */
const readinessProbe = { exec: { command: ['true'] }, initialDelaySeconds: 1, periodSeconds: 1 };

/** The Deployment with other arguments: another template. */
const version = (
  word: string,
  replicas = 3,
  spec: Partial<ReturnType<typeof deployment>['spec']> = {},
): ReturnType<typeof deployment> => {
  const made = deployment(replicas, { containers: [container('app', { args: [word], readinessProbe })] });
  return { ...made, spec: { ...made.spec, ...spec } };
};
const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } as const,
});

/** The fewest ready and the most wanted pods, at every 100 ms until the rollout is over. */
async function watchRollout(): Promise<{ least: number; most: number }> {
  let least = Infinity;
  let most = 0;
  for (let step = 0; step < 300; step += 1) {
    await story.advance(0.1);
    const wanted = pods().filter(({ metadata }) => !metadata.deletionTimestamp).length;
    least = Math.min(least, pods().filter(isLive).length);
    most = Math.max(most, wanted);
  }
  return { least, most };
}

describe('a rolling update', () => {
  it('with maxSurge 1 and maxUnavailable 0 never has fewer pods than wanted, and at most one more', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) } });
    await story.apply(version('v1', 3, rolling(1, 0)));
    await story.advance(10);
    await story.apply(version('v2', 3, rolling(1, 0)));
    expect(await watchRollout()).toEqual({ least: 3, most: 4 });
    expect(web().status).toMatchObject({ replicas: 3, updatedReplicas: 3, availableReplicas: 3 });
  });

  it('with maxUnavailable 50% and no surge replaces half at a time', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) } });
    await story.apply(version('v1', 4, rolling(0, '50%')));
    await story.advance(10);
    await story.apply(version('v2', 4, rolling(0, '50%')));
    expect(await watchRollout()).toEqual({ least: 2, most: 4 });
    expect(web().status).toMatchObject({ replicas: 4, updatedReplicas: 4, availableReplicas: 4 });
  });

  it('rounds 25% of surge up and 25% of missing pods down, the default', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) } });
    await story.apply(version('v1', 3));
    await story.advance(10);
    await story.apply(version('v2', 3));
    expect(await watchRollout()).toEqual({ least: 3, most: 4 });
  });

  it('waits minReadySeconds before a pod counts as available', async () => {
    story = await createStory();
    await story.apply(version('v1', 1, { ...rolling(1, 0), minReadySeconds: 20 }));
    await story.advance(10);
    expect(web().status).toMatchObject({ readyReplicas: 1, availableReplicas: 0, unavailableReplicas: 1 });
    await story.advance(11);
    expect(web().status).toMatchObject({ availableReplicas: 1, unavailableReplicas: 0 });
    await story.apply(version('v2', 1, { ...rolling(1, 0), minReadySeconds: 20 }));
    await story.advance(15);
    expect(pods()).toHaveLength(2);
    await story.advance(10);
    expect(pods()).toHaveLength(1);
    expect(web().status.updatedReplicas).toBe(1);
  });

  it('whose new pods do not become ready stands still with the old ones serving, and fails by its deadline', async () => {
    const lives = (attempt: number) => (attempt >= 0 ? { runsMs: 1000, exitCode: 1 } : {});
    story = await createStory({ lives: { bad: lives } });
    const good = version('v1', 3, { ...rolling(1, 0), progressDeadlineSeconds: 60 });
    await story.apply(good);
    await story.advance(5);
    expect(condition('Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
    const template = {
      metadata: good.spec.template.metadata!,
      spec: {
        containers: [
          container('bad', {
            readinessProbe: { exec: { command: ['true'] }, initialDelaySeconds: 30 },
          }),
        ],
      },
    };
    await story.apply({ ...good, spec: { ...good.spec, template } });
    await story.advance(70);
    expect(condition('Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    expect(condition('Available')).toMatchObject({ status: 'True' });
    expect(pods().filter((pod) => isLive(pod) && pod.spec.containers[0]?.name === 'app')).toHaveLength(3);
    // A failed rollout is known as one: the new pod's own deaths count, and no surge pod counts as wanted.
    const deaths = story.transitions.filter(({ kind }) => kind === 'container-died');
    expect(deaths.length).toBeGreaterThanOrEqual(3);
    for (const death of deaths) expect(death).toMatchObject({ container: 'bad', unrequested: true });
    expect(story.manager.views().workloads[0]).toMatchObject({ desired: 3, ready: 3 });
  });

  it('is resumed by a new template after it failed, and its deaths are asked for', async () => {
    story = await createStory({
      lives: { bad: () => ({ runsMs: 500, exitCode: 1, stopExitCode: 1 }) },
    });
    const spec = { ...rolling(1, 0), progressDeadlineSeconds: 20 };
    await story.apply(version('v1', 2, spec));
    await story.advance(5);
    const broken = deployment(2, {
      containers: [
        container('bad', { readinessProbe: { exec: { command: ['true'] }, initialDelaySeconds: 3000 } }),
      ],
    });
    await story.apply({ ...broken, spec: { ...broken.spec, ...spec } });
    await story.advance(30);
    expect(condition('Progressing')?.reason).toBe('ProgressDeadlineExceeded');
    await story.apply(version('v3', 2, spec));
    await story.advance(30);
    expect(condition('Progressing')?.reason).toBe('NewReplicaSetAvailable');
    expect(web().status).toMatchObject({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 });
    const deaths = story.transitions.flatMap((one) =>
      one.kind === 'container-died' && one.container === 'app' ? [one] : [],
    );
    expect(deaths).toHaveLength(2);
    for (const death of deaths)
      expect(death).toMatchObject({
        killRequest: { by: 'rollout', message: 'Replaced by a newer template of Deployment web' },
        unrequested: false,
      });
  });
});

describe('Recreate', () => {
  it('makes no new pod before the last old one is gone', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 3000 }) } });
    const strategy = { strategy: { type: 'Recreate' } } as const;
    await story.apply(version('v1', 2, strategy));
    await story.advance(5);
    await story.apply(version('v2', 2, strategy));
    await story.advance(2);
    expect(pods().every(({ spec }) => spec.containers[0]?.args?.[0] === 'v1')).toBe(true);
    await story.advance(5);
    expect(pods().map(({ spec }) => spec.containers[0]?.args?.[0])).toEqual(['v2', 'v2']);
  });
});

describe('revisions', () => {
  it('are ReplicaSets, numbered, owned by the Deployment, as many as the history keeps', async () => {
    story = await createStory();
    for (const word of ['v1', 'v2', 'v3', 'v4']) {
      await story.apply(version(word, 1, { revisionHistoryLimit: 2 }));
      await story.advance(5);
    }
    expect(sets().map(revision).sort()).toEqual(['2', '3', '4']);
    expect(revision(web())).toBe('4');
    for (const { metadata } of sets())
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'Deployment', name: 'web', controller: true }]);
    expect(pods()[0]?.metadata.ownerReferences?.[0]?.uid).toBe(
      sets().find(({ spec }) => spec.replicas === 1)?.metadata.uid,
    );
  });

  it('undo goes back to the one before, which becomes the newest', async () => {
    story = await createStory();
    await story.apply(version('v1', 1));
    await story.advance(5);
    await story.apply(version('v2', 1));
    await story.advance(5);
    await change('undo');
    await story.advance(5);
    expect(pods().map(({ spec }) => spec.containers[0]?.args?.[0])).toEqual(['v1']);
    expect(revision(web())).toBe('3');
    expect(sets().map(revision).sort()).toEqual(['2', '3']);
    await change('undo', { toRevision: 2 });
    await story.advance(5);
    expect(pods().map(({ spec }) => spec.containers[0]?.args?.[0])).toEqual(['v2']);
  });

  it('undo brings back why the Deployment once became so', async () => {
    story = await createStory();
    const because = (word: string, cause: string) => {
      const { metadata, ...rest } = version(word, 1);
      return { ...rest, metadata: { ...metadata, annotations: { 'kubernetes.io/change-cause': cause } } };
    };
    for (const [word, cause] of [
      ['v1', 'first'],
      ['v2', 'second'],
    ] as const) {
      await story.apply(because(word, cause));
      await story.advance(5);
    }
    await change('undo');
    await story.advance(5);
    const causes = sets().map((set) => [
      revision(set),
      set.metadata.annotations?.['kubernetes.io/change-cause'],
    ]);
    expect(causes.sort()).toEqual([
      ['2', 'second'],
      ['3', 'first'],
    ]);
  });

  it('undo to one that is not kept is refused with those that are', async () => {
    story = await createStory();
    await story.apply(version('v1', 1));
    await story.advance(5);
    await expect(change('undo')).rejects.toMatchObject({ code: 'NO_REVISION' });
    await expect(change('undo', { toRevision: 7 })).rejects.toMatchObject({
      code: 'NO_REVISION',
      message: expect.stringContaining('there is no revision 7; kept are 1'),
    });
  });

  it('restart replaces every pod once, and applying the manifest again does not do it once more', async () => {
    story = await createStory();
    await story.apply(version('v1', 2));
    await story.advance(5);
    const before = pods().map(({ metadata }) => metadata.uid);
    await change('restart');
    await story.advance(10);
    const after = pods().map(({ metadata }) => metadata.uid);
    expect(after).toHaveLength(2);
    for (const uid of after) expect(before).not.toContain(uid);
    const [applied] = await story.manager.apply([version('v1', 2)], { folder: '/srv/shop' });
    expect(applied?.action).toBe('unchanged');
  });
});

describe('scaling', () => {
  it('keeps what scale asked for when a manifest without replicas is applied', async () => {
    story = await createStory();
    const { replicas: _replicas, ...spec } = version('v1').spec;
    const silent = { ...version('v1'), spec };
    await story.apply(silent);
    await story.advance(1);
    expect(pods()).toHaveLength(1);
    await change('scale', { replicas: 3 });
    await story.apply(silent);
    await story.advance(5);
    expect(pods()).toHaveLength(3);
    await expect(change('scale', { replicas: 501 })).rejects.toMatchObject({ code: 'NOT_SCALABLE' });
  });

  it('in the middle of a rollout grows old and new in proportion', async () => {
    story = await createStory();
    await story.apply(version('v1', 10, rolling(3, 2)));
    await story.advance(5);
    const slow = version('v2', 10, rolling(3, 2));
    const template = {
      ...slow.spec.template,
      spec: {
        containers: [
          container('app', {
            args: ['v2'],
            readinessProbe: { exec: { command: ['false'] }, initialDelaySeconds: 3000 },
          }),
        ],
      },
    };
    await story.apply({ ...slow, spec: { ...slow.spec, template } });
    await story.advance(5);
    const sizes = () =>
      sets()
        .map(({ spec }) => spec.replicas)
        .sort((a, b) => b - a);
    expect(sizes()).toEqual([8, 5]);
    await change('scale', { replicas: 15 });
    await story.advance(5);
    // Source: the documentation's own example, "Proportional scaling"
    expect(sizes()).toEqual([11, 7]);
  });
});

describe('a paused Deployment', () => {
  it('takes new templates without a rollout until it is resumed', async () => {
    story = await createStory();
    await story.apply(version('v1', 2));
    await story.advance(5);
    await change('pause');
    await story.apply(version('v2', 2, { paused: true }));
    await story.advance(5);
    expect(pods().map(({ spec }) => spec.containers[0]?.args?.[0])).toEqual(['v1', 'v1']);
    expect(condition('Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' });
    await expect(change('restart')).rejects.toMatchObject({ code: 'DEPLOYMENT_PAUSED' });
    await change('scale', { replicas: 3 });
    await story.advance(5);
    expect(pods().map(({ spec }) => spec.containers[0]?.args?.[0])).toEqual(['v1', 'v1', 'v1']);
    await change('resume');
    await story.advance(10);
    expect(pods().map(({ spec }) => spec.containers[0]?.args?.[0])).toEqual(['v2', 'v2', 'v2']);
  });
});

describe('the death of the agent in the middle of a rollout', () => {
  for (const seconds of [0, 0.1, 0.4, 0.7, 1.1, 1.6, 2.3, 3.1]) {
    it(`${seconds} s in leads to the same end`, async () => {
      story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) }, writeMs: 5 });
      await story.apply(version('v1', 3, rolling(1, 1)));
      await story.advance(10);
      await story.apply(version('v2', 3, rolling(1, 1)));
      await story.advance(seconds);
      await story.sigkill(2);
      await story.advance(30);
      expect(web().status).toMatchObject({ replicas: 3, updatedReplicas: 3, availableReplicas: 3 });
      expect(pods().map(({ spec }) => spec.containers[0]?.args?.[0])).toEqual(['v2', 'v2', 'v2']);
      expect(story.runtime.running()).toHaveLength(3);
      expect(sets().map(revision).sort()).toEqual(['1', '2']);
      const unrequested = story.transitions.filter((one) => one.kind === 'container-died' && one.unrequested);
      expect(unrequested).toEqual([]);
    });
  }

  it('does not forget how long the rollout has been getting nowhere', async () => {
    story = await createStory({ lives: { bad: () => ({ runsMs: 100, exitCode: 1 }) } });
    const spec = { ...rolling(1, 0), progressDeadlineSeconds: 60 };
    await story.apply(version('v1', 1, spec));
    await story.advance(5);
    const broken = deployment(1, {
      containers: [
        container('bad', { readinessProbe: { exec: { command: ['true'] }, initialDelaySeconds: 3000 } }),
      ],
    });
    await story.apply({ ...broken, spec: { ...broken.spec, ...spec } });
    await story.advance(40);
    await story.sigkill(10);
    await story.advance(15);
    expect(condition('Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
  });

  it('right after a Deployment was deleted leaves no ReplicaSet and no pod', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) }, writeMs: 5 });
    await story.apply(version('v1', 2));
    await story.advance(5);
    story.manager.delete({
      kind: 'Deployment',
      namespace: 'shop',
      name: 'web',
      request: { by: 'user', message: 'deleted' },
    });
    await story.advance(0.006);
    await story.sigkill(1);
    await story.advance(10);
    expect(pods()).toEqual([]);
    expect(sets()).toEqual([]);
    expect(story.keyValue.entries('pod/objects/')).toEqual([]);
  });
});
