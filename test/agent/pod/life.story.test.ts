// Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ and
// kubernetes/pkg/kubelet/kubelet_pods.go (getPhase, convertToAPIContainerStatuses), status/generate.go
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { container, createStory, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

const conditions = () =>
  Object.fromEntries(
    story
      .pod()
      .status.conditions.map(({ type, status, reason }) => [type, reason ? `${status} ${reason}` : status]),
  );

describe('a pod', () => {
  it('runs, and shows what kubectl shows', async () => {
    story = await createStory();
    await story.apply(pod());
    await story.advance(2);
    const { status, metadata, spec } = story.pod();
    expect(metadata).toMatchObject({
      name: 'cart',
      namespace: 'shop',
      creationTimestamp: '2026-01-01T00:00:00Z',
    });
    expect(spec.nodeName).toBe('node-11');
    expect(status).toMatchObject({
      phase: 'Running',
      hostIP: '192.0.2.11',
      podIP: '10.88.0.2',
      podIPs: [{ ip: '10.88.0.2' }],
      qosClass: 'BestEffort',
      startTime: '2026-01-01T00:00:00Z',
    });
    expect(story.status()).toEqual({
      containerID: `fake://${metadata.uid}/app/0`,
      image: 'host',
      imageID: 'fake:host',
      lastState: {},
      name: 'app',
      ready: true,
      restartCount: 0,
      started: true,
      state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
      stopSignal: 'SIGTERM',
    });
    expect(conditions()).toEqual({
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
      PodScheduled: 'True',
    });
  });

  it('has started before it died, also where the death is heard of first', async () => {
    story = await createStory({
      lives: { app: () => ({ runsMs: 20, exitCode: 1, answersAfterMs: 200 }) },
    });
    await story.apply(pod({ restartPolicy: 'Never' }));
    await story.advance(2);
    const [started, died, ...others] = story.transitions.filter(({ kind }) => kind.startsWith('container-'));
    expect([started?.kind, died?.kind, others.length]).toEqual(['container-started', 'container-died', 0]);
    expect(died!.at - started!.at).toBe(20);
  });

  it('is found by its uid and by the container it runs, and no more once it is gone', async () => {
    story = await createStory();
    await story.apply(pod());
    await story.advance(2);
    const { manager } = story;
    const [view] = manager.views().pods;
    const { uid } = view!.ref;
    const { id } = view!.containers[0]!.running!;
    expect(manager.view(uid)).toEqual(view);
    expect(manager.ownerOf(id)).toEqual({ pod: view!.ref, container: 'app', attempt: 0 });
    manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'cart',
      request: { by: 'user', message: 'over' },
    });
    await story.advance(60);
    expect(manager.view(uid)).toBeUndefined();
    expect(manager.ownerOf(id)).toBeUndefined();
  });

  it('passes through the stages of its start once, in order', async () => {
    story = await createStory();
    await story.apply(pod());
    expect(story.transitions.map(({ kind }) => kind)).toEqual([
      'pod-created',
      'pod-scheduled',
      'sandbox-ready',
      'pod-initialized',
      'image-pulled',
      'container-started',
      'phase',
      'ready',
    ]);
  });

  it('succeeds when all its containers end with 0 and need not go on', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 5000 }] } });
    await story.apply(pod({ restartPolicy: 'Never' }));
    await story.advance(10);
    expect(story.pod().status.phase).toBe('Succeeded');
    expect(conditions()).toEqual({
      PodReadyToStartContainers: 'False',
      Initialized: 'True PodCompleted',
      Ready: 'False PodCompleted',
      ContainersReady: 'False PodCompleted',
      PodScheduled: 'True',
    });
    expect(story.status().state.terminated).toMatchObject({
      exitCode: 0,
      reason: 'Completed',
      finishedAt: '2026-01-01T00:00:05Z',
    });
    expect(story.view().containers[0]).toMatchObject({
      deaths: { Completed: 0 },
      requestedDeaths: { Completed: 1 },
    });
  });

  it('fails when a container fails and may not be restarted', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 5000, exitCode: 3 }] } });
    await story.apply(pod({ restartPolicy: 'Never' }));
    await story.advance(100);
    expect(story.pod().status.phase).toBe('Failed');
    expect(story.status().restartCount).toBe(0);
  });

  it('restarts a failed container under OnFailure, and leaves one that ended with 0', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 1000, exitCode: 1 }, { runsMs: 1000 }] } });
    await story.apply(pod({ restartPolicy: 'OnFailure' }));
    await story.advance(100);
    expect(story.pod().status.phase).toBe('Succeeded');
    expect(story.status().restartCount).toBe(1);
  });

  it('fails with DeadlineExceeded when it is active for too long', async () => {
    story = await createStory();
    await story.apply(pod({ activeDeadlineSeconds: 20 }));
    await story.advance(25);
    expect(story.pod().status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
    expect(story.log('container-died')).toEqual(['20 container-died']);
    expect(story.view().containers[0]).toMatchObject({ requestedDeaths: { Error: 1 } });
    expect(story.log('deadline-exceeded')).toEqual(['20 deadline-exceeded']);
  });

  it('counts that time from when it has a node, not from its creation', async () => {
    story = await createStory();
    story.manager.setUnschedulable(true);
    await story.apply(pod({ activeDeadlineSeconds: 20 }));
    await story.advance(100);
    expect(story.pod().status.phase).toBe('Pending');
    story.manager.setUnschedulable(false);
    await story.advance(19);
    expect(story.pod().status.phase).toBe('Running');
    await story.advance(2);
    expect(story.pod().status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });
});

describe('init containers', () => {
  it('run one after another before the others', async () => {
    story = await createStory({ lives: { first: [{ runsMs: 3000 }], second: [{ runsMs: 4000 }] } });
    await story.apply(pod({ initContainers: [container('first'), container('second')] }));
    await story.advance(1);
    expect(story.pod().status.phase).toBe('Pending');
    expect(story.status('app').state.waiting).toEqual({ reason: 'PodInitializing' });
    expect(story.status('second').state.waiting).toEqual({ reason: 'PodInitializing' });
    expect(conditions().Initialized).toBe('False ContainersNotInitialized');
    await story.advance(10);
    const starts = story.transitions.flatMap((fact) =>
      fact.kind === 'container-started' ? fact.container : [],
    );
    expect(starts).toEqual(['first', 'second', 'app']);
    expect(story.log('container-started', 'pod-initialized')).toEqual([
      '0 container-started',
      '3 container-started',
      '7 pod-initialized',
      '7 container-started',
    ]);
    expect(story.status('first')).toMatchObject({
      ready: true,
      started: false,
      state: { terminated: { reason: 'Completed' } },
    });
    expect(story.view().containers[0]?.deaths).toMatchObject({ Completed: 0 });
  });

  it('that fail under Never fail the pod', async () => {
    story = await createStory({ lives: { setup: [{ runsMs: 1000, exitCode: 4 }] } });
    await story.apply(pod({ restartPolicy: 'Never', initContainers: [container('setup')] }));
    await story.advance(60);
    expect(story.pod().status.phase).toBe('Failed');
    expect(story.runtime.calls.some((call) => call.includes('/app'))).toBe(false);
  });

  it('with restartPolicy Always run on beside the others, and end after them', async () => {
    story = await createStory({ lives: { app: [{ stopMs: 2000 }] } });
    await story.apply(pod({ initContainers: [container('proxy', { restartPolicy: 'Always' })] }));
    await story.advance(1);
    expect(story.runtime.running()).toEqual(['cart/proxy', 'cart/app']);
    expect(story.pod().status.phase).toBe('Running');
    story.runtime.kill('cart', 'proxy', { exitCode: 1 });
    await story.advance(1);
    expect(story.status('proxy').restartCount).toBe(1);
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'cart',
      request: { by: 'user', message: 'deleted' },
    });
    await story.advance(5);
    const deaths = story.transitions.flatMap((fact) =>
      fact.kind === 'container-died' ? fact.container : [],
    );
    expect(deaths).toEqual(['proxy', 'app', 'proxy']);
  });
});

describe('a death', () => {
  it('is OOMKilled when the kernel counted a kill and the container ended by SIGKILL', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 1000, signal: 9, oomKills: 1 }] } });
    await story.apply(pod());
    await story.advance(2);
    expect(story.status().lastState.terminated).toMatchObject({
      exitCode: 137,
      reason: 'OOMKilled',
      signal: 9,
    });
    expect(story.view().containers[0]).toMatchObject({ deaths: { OOMKilled: 1, Error: 0 }, oomKills: 1 });
  });

  it('by SIGKILL without a kill of the kernel is an Error', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 1000, signal: 9 }] } });
    await story.apply(pod());
    await story.advance(2);
    expect(story.status().lastState.terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
  });

  it('with another exit code is an Error though a child was killed for memory', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 1000, exitCode: 1, oomKills: 2 }] } });
    await story.apply(pod());
    await story.advance(2);
    expect(story.status().lastState.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
    expect(story.view().containers[0]?.oomKills).toBe(2);
  });
});

describe('what cannot be started', () => {
  it('waits with ErrImagePull, then ImagePullBackOff, and tries again with a back-off of its own', async () => {
    const message = 'image docker.io/library/nginx cannot be pulled here; use --runtime podman';
    story = await createStory({ pullError: (image) => (image === 'nginx' ? message : undefined) });
    await story.apply(pod({ containers: [container('app', { image: 'nginx' })] }));
    expect(story.status().state.waiting).toEqual({ reason: 'ErrImagePull', message });
    await story.advance(6);
    expect(story.status().state.waiting).toEqual({
      reason: 'ImagePullBackOff',
      message: `Back-off pulling image "nginx": ErrImagePull: ${message}`,
    });
    await story.advance(600);
    expect(story.log('image-failed').map((line) => Number(line.split(' ')[0]))).toEqual([
      0, 10, 30, 70, 150, 310,
    ]);
    expect(story.view().containers[0]).toMatchObject({ attempt: 0, crashLoops: 0 });
  });

  it('waits with CreateContainerConfigError for a missing ConfigMap, and goes on at once when it is there', async () => {
    story = await createStory();
    const env = [{ name: 'CURRENCY', valueFrom: { configMapKeyRef: { name: 'prices', key: 'CURRENCY' } } }];
    await story.apply(pod({ containers: [container('app', { env })] }));
    expect(story.status().state.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'configmap "prices" not found',
    });
    const metadata = { name: 'prices', namespace: 'shop' };
    await story.apply({ file: 'shop.yaml', kind: 'ConfigMap', metadata, data: {} });
    expect(story.status().state.waiting?.message).toBe("couldn't find key CURRENCY in ConfigMap shop/prices");
    await story.apply({ file: 'shop.yaml', kind: 'ConfigMap', metadata, data: { CURRENCY: 'EUR' } });
    expect(story.pod().status.phase).toBe('Running');
    expect(story.status().restartCount).toBe(0);
  });

  it('shows RunContainerError, then StartError in a crash loop', async () => {
    const startError = {
      code: 'RunContainerError',
      message: 'exec: "nod": executable file not found in $PATH',
    };
    story = await createStory({ lives: { app: () => ({ startError }) } });
    await story.apply(pod());
    await story.advance(5);
    expect(story.status()).toMatchObject({
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: {
        terminated: {
          exitCode: 128,
          reason: 'StartError',
          message: startError.message,
          startedAt: '1970-01-01T00:00:00Z',
        },
      },
    });
    expect(story.view().containers[0]?.deaths.StartError).toBe(2);
  });

  it('waits for a sandbox that cannot be made', async () => {
    let broken = true;
    story = await createStory({ sandboxError: () => (broken ? 'no address left' : undefined) });
    await story.apply(pod());
    expect(story.status().state.waiting).toEqual({ reason: 'ContainerCreating' });
    expect(story.log('sandbox-failed')).toEqual(['0 sandbox-failed']);
    broken = false;
    await story.advance(10);
    expect(story.log('container-started')).toEqual(['10 container-started']);
  });
});

describe('volumes', () => {
  it('are files and folders of the pod, gone with it', async () => {
    story = await createStory();
    const metadata = { name: 'keys', namespace: 'shop' };
    const data = { token: Buffer.from('s3cret').toString('base64') };
    await story.apply(
      { file: 'shop.yaml', kind: 'Secret', metadata, data },
      pod({
        volumes: [
          { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
          { name: 'work', emptyDir: {} },
        ],
        containers: [
          container('app', {
            volumeMounts: [
              { name: 'keys', mountPath: '/keys' },
              { name: 'work', mountPath: '/work' },
            ],
          }),
        ],
      }),
    );
    const folder = story.runtime.podDirectory(story.pod().metadata.uid);
    const file = join(folder, 'volumes/keys/token');
    expect(readFileSync(file, 'utf8')).toBe('s3cret');
    expect(statSync(file).mode & 0o777).toBe(0o400);
    expect(JSON.stringify(story.view())).not.toContain('s3cret');
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'cart',
      request: { by: 'user', message: 'deleted' },
    });
    await story.advance(1);
    expect(existsSync(file)).toBe(false);
  });

  it('that are missing keep the pod in ContainerCreating, and the reason is told', async () => {
    story = await createStory();
    await story.apply(pod({ volumes: [{ name: 'conf', configMap: { name: 'prices' } }] }));
    expect(story.status().state.waiting).toEqual({ reason: 'ContainerCreating' });
    expect(story.transitions.find(({ kind }) => kind === 'config-failed')).toMatchObject({
      message: 'MountVolume.SetUp failed for volume "conf" : configmap "prices" not found',
    });
  });
});

describe('a deletion', () => {
  const remove = (gracePeriodSeconds?: number) =>
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'cart',
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      request: { by: 'user', message: 'deleted' },
    });

  it('gives the containers their grace, kills what is left, and leaves nothing', async () => {
    story = await createStory({ lives: { app: [{ stopMs: 99_000 }] } });
    await story.apply(pod({ terminationGracePeriodSeconds: 12 }));
    await story.advance(10);
    remove();
    await story.advance(5);
    expect(story.pod().metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:22Z',
      deletionGracePeriodSeconds: 12,
    });
    await story.advance(10);
    expect(story.pod()).toBeUndefined();
    expect(story.log('pod-deleting', 'container-died', 'pod-deleted')).toEqual([
      '10 pod-deleting',
      '22 container-died',
      '22 pod-deleted',
    ]);
    expect(story.transitions.find(({ kind }) => kind === 'container-died')).toMatchObject({
      exitCode: 137,
      unrequested: false,
    });
    expect(story.runtime.calls.at(-1)).toBe('remove cart');
    expect(story.keyValue.entries('pod/pods/')).toEqual([]);
    expect(story.keyValue.entries('pod/workloads/')).toEqual([]);
  });

  it('can be made quicker, never slower', async () => {
    story = await createStory({ lives: { app: [{ stopMs: 99_000 }] } });
    await story.apply(pod());
    remove();
    await story.advance(2);
    remove(60);
    remove(3);
    await story.advance(20);
    expect(story.log('pod-deleted')).toEqual(['5 pod-deleted']);
  });

  it('ends the wait for an image that does not come', async () => {
    story = await createStory({ pullMs: 3_600_000 });
    await story.apply(pod({ containers: [container('app', { image: 'shop/cart:11' })] }));
    remove();
    await story.advance(3600);
    expect(story.log('container-started')).toEqual([]);
    expect(story.pod()).toBeUndefined();
  });

  it('by force takes the object away at once', async () => {
    story = await createStory({ lives: { app: [{ unstoppable: true }] } });
    await story.apply(pod());
    const { gone } = story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'cart',
      force: true,
      request: { by: 'user', message: 'deleted' },
    });
    await gone;
    expect(story.pod()).toBeUndefined();
    await story.apply(pod());
    expect(story.pod().metadata.deletionTimestamp).toBeUndefined();
  });
});
