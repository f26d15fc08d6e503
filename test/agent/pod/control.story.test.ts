// What a person does with a pod as a whole; the verbs of https://docs.podman.io/en/latest/markdown/podman-pod.1.html
import { afterEach, describe, expect, it } from 'vitest';
import type { PodVerb } from '../../../src/agent/pod/worker/pod-control.ts';
import { container, createStory, deployment, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

const tell = async (verb: PodVerb, seconds = 1) => {
  const done = story.manager.control({ namespace: 'shop', name: 'cart' }, verb);
  await story.advance(seconds);
  await done;
};
const counts = () =>
  story.view().containers.map(({ deaths, requestedDeaths }) => ({ deaths, requestedDeaths }));

describe('a pod that is stopped', () => {
  it('stays down, says so, and none of it counts as a crash', async () => {
    story = await createStory();
    await story.apply(pod());
    await tell('stop');
    await story.advance(3600);
    expect(story.runtime.running()).toEqual([]);
    expect(story.pod().status).toMatchObject({ phase: 'Running', reason: 'Stopped' });
    expect(counts()).toMatchObject([{ deaths: { Error: 0 }, requestedDeaths: { Error: 1 } }]);
    expect(story.view().containers[0]?.crashLoops).toBe(0);
    expect(story.manager.views().workloads).toMatchObject([{ desired: 0, ready: 0 }]);
  });

  it('begins again at once when it is started, whatever its restart policy', async () => {
    for (const restartPolicy of ['Always', 'OnFailure', 'Never'] as const) {
      story = await createStory({ lives: { app: () => ({ stopExitCode: 0 }) } });
      await story.apply(pod({ restartPolicy }));
      await tell('stop');
      await tell('start');
      expect(story.runtime.running()).toEqual(['cart/app']);
      expect(story.status().restartCount).toBe(1);
      expect(story.pod().status.reason).toBeUndefined();
      await story.end();
    }
    story = await createStory();
  });

  it('does not run its init containers again, and its sidecars do', async () => {
    story = await createStory({ lives: { setup: [{ runsMs: 100 }] } });
    await story.apply(
      pod({ initContainers: [container('setup'), container('log', { restartPolicy: 'Always' })] }),
    );
    await story.advance(1);
    await tell('stop');
    await tell('start');
    expect(new Set(story.runtime.running())).toEqual(new Set(['cart/app', 'cart/log']));
    expect(story.status('setup').restartCount).toBe(0);
  });

  it('stays stopped through a restart of the agent', async () => {
    story = await createStory();
    await story.apply(pod());
    await tell('stop');
    await story.sigkill(60);
    await story.advance(60);
    expect(story.runtime.running()).toEqual([]);
    await tell('start');
    expect(story.runtime.running()).toEqual(['cart/app']);
  });

  it('is killed after its grace, and the stop is done only then', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 3_600_000 }) } });
    await story.apply(pod({ terminationGracePeriodSeconds: 5 }));
    let done = false;
    const stop = story.manager.control({ namespace: 'shop', name: 'cart' }, 'stop').then(() => {
      done = true;
    });
    await story.advance(4);
    expect(done).toBe(false);
    await story.advance(2);
    await stop;
    expect(story.status().state.terminated).toMatchObject({ exitCode: 137 });
  });

  it('leaves its back-off when it is started', async () => {
    story = await createStory({ lives: { app: () => ({ runsMs: 1000, exitCode: 1 }) } });
    await story.apply(pod());
    await story.advance(40);
    expect(story.status().state.waiting?.reason).toBe('CrashLoopBackOff');
    await tell('stop', 0);
    const starts = story.log('container-started').length;
    await tell('start', 0);
    expect(story.log('container-started').length).toBe(starts + 1);
  });

  it('can be deleted', async () => {
    story = await createStory();
    await story.apply(pod());
    await tell('stop');
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'cart',
      request: { by: 'user', message: '' },
    });
    await story.advance(1);
    expect(story.pod()).toBeUndefined();
  });
});

describe('a pod that is restarted', () => {
  it('ends its containers and starts them at once, also where the policy is Never', async () => {
    story = await createStory({ lives: { app: () => ({ stopExitCode: 0 }) } });
    await story.apply(pod({ restartPolicy: 'Never' }));
    await tell('restart');
    expect(story.runtime.running()).toEqual(['cart/app']);
    expect(counts()).toMatchObject([{ requestedDeaths: { Completed: 1 } }]);
    await story.advance(60);
    expect(story.status().restartCount).toBe(1);
  });

  it('does not wait however often it is asked', async () => {
    story = await createStory();
    await story.apply(pod());
    for (const times of [1, 2, 3]) {
      await tell('restart', 0);
      expect(story.runtime.running()).toEqual(['cart/app']);
      expect(story.status().restartCount).toBe(times);
    }
    expect(story.view().containers[0]?.crashLoops).toBe(0);
  });
});

describe('a pod that is paused', () => {
  const failing = { livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 } };

  it('is held still and not probed until it goes on', async () => {
    let sick = false;
    story = await createStory({ exec: () => ({ exitCode: sick ? 1 : 0 }) });
    await story.apply(pod({ containers: [container('app', failing)] }));
    await tell('pause');
    expect(story.runtime.calls.at(-1)).toBe('pause cart/app');
    expect(story.pod().status).toMatchObject({ phase: 'Running', reason: 'Paused' });
    sick = true;
    await story.advance(60);
    expect(story.status().restartCount).toBe(0);
    await tell('unpause', 5);
    expect(story.runtime.calls).toContain('unpause cart/app');
    expect(story.status().restartCount).toBeGreaterThan(0);
    expect(story.pod().status.reason).toBeUndefined();
  });

  it('goes on before it is asked to end', async () => {
    story = await createStory();
    await story.apply(pod());
    await tell('pause');
    await tell('stop');
    expect(story.runtime.calls.slice(-3)).toEqual([
      'pause cart/app',
      'unpause cart/app',
      'stop cart/app 30000',
    ]);
    await tell('start');
    expect(story.pod().status.reason).toBeUndefined();
  });
});

describe('what a pod cannot be told', () => {
  it('is said with what to do instead', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 100 }] } });
    await story.apply(pod({ restartPolicy: 'Never' }), deployment(1));
    await story.advance(1);
    await expect(story.manager.control({ namespace: 'shop', name: 'cart' }, 'start')).rejects.toMatchObject({
      code: 'POD_ENDED',
    });
    const web = story.manager.list('Pod').find(({ metadata }) => metadata.name.startsWith('web'))!.metadata;
    await expect(story.manager.control(web, 'stop')).rejects.toThrow('--replicas=0');
    await expect(story.manager.control({ namespace: 'shop', name: 'none' }, 'stop')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
