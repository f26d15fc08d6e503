// Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy and
// kubernetes/pkg/kubelet/kuberuntime/kuberuntime_manager.go (doBackOff), client-go/util/flowcontrol/backoff.go
import { afterEach, describe, expect, it } from 'vitest';
import { container, createStory, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

const crash = (seconds: number, exitCode = 1) => ({ app: () => ({ runsMs: seconds * 1000, exitCode }) });

describe('the back-off of a container that keeps dying', () => {
  it('restarts at once, then after 10 s, doubling to 300 s', async () => {
    story = await createStory({ lives: crash(1) });
    await story.apply(pod());
    await story.advance(1300);
    const starts = story.log('container-started').map((line) => Number(line.split(' ')[0]));
    const deaths = story.log('container-died').map((line) => Number(line.split(' ')[0]));
    const waits = starts.slice(1).map((start, index) => start - deaths[index]!);
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it('says so in the words of the kubelet while it waits', async () => {
    story = await createStory({ lives: crash(1) });
    await story.apply(pod());
    await story.advance(5);
    const { uid } = story.pod().metadata;
    expect(story.status()).toMatchObject({
      ready: false,
      restartCount: 1,
      started: false,
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: `back-off 10s restarting failed container=app pod=cart_shop(${uid})`,
        },
      },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    });
    expect(story.view().containers[0]).toMatchObject({
      crashLoops: 1,
      backOff: { delayMs: 10_000 },
      backOffMs: 3000,
    });
  });

  it('starts again from the beginning after ten minutes of running', async () => {
    story = await createStory({
      lives: { app: [{ runsMs: 1000 }, { runsMs: 1000 }, { runsMs: 601_000 }, { runsMs: 1000 }, {}] },
    });
    await story.apply(pod());
    await story.advance(700);
    // Deaths at 1, 2 (waits 10), 613 (healthy before: at once), 614 (waits 10).
    expect(story.log('container-started')).toEqual([
      '0 container-started',
      '1 container-started',
      '12 container-started',
      '613 container-started',
      '624 container-started',
    ]);
  });

  it('doubles on when the container ran for less than ten minutes', async () => {
    story = await createStory({
      lives: { app: [{ runsMs: 1000 }, { runsMs: 1000 }, { runsMs: 599_000 }, {}] },
    });
    await story.apply(pod());
    await story.advance(700);
    expect(story.log('container-started').at(-1)).toBe('631 container-started');
  });

  it('holds for a container that ends with 0 under restartPolicy Always', async () => {
    story = await createStory({ lives: crash(1, 0) });
    await story.apply(pod());
    await story.advance(3);
    expect(story.status().state.waiting?.reason).toBe('CrashLoopBackOff');
    expect(story.status().lastState.terminated?.reason).toBe('Completed');
  });

  it('holds for init containers', async () => {
    story = await createStory({ lives: { setup: () => ({ runsMs: 1000, exitCode: 3 }) } });
    await story.apply(pod({ initContainers: [container('setup')] }));
    await story.advance(30);
    expect(story.log('container-started')).toEqual([
      '0 container-started',
      '1 container-started',
      '12 container-started',
    ]);
    expect(story.pod().status.phase).toBe('Pending');
  });
});

describe('a crash loop', () => {
  for (const seconds of [1, 60, 300]) {
    it(`of lives of ${seconds} s has counted three unrequested deaths at the third`, async () => {
      story = await createStory({ lives: crash(seconds) });
      await story.apply(pod());
      while (story.log('container-died').length < 2) await story.advance(1);
      expect(story.view().containers[0]?.deaths.Error).toBe(2);
      while (story.log('container-died').length < 3) await story.advance(1);
      expect(story.view().containers[0]?.deaths.Error).toBe(3);
      expect(story.view().containers[0]?.requestedDeaths).toEqual({});
    });
  }

  it('of an init container has counted three unrequested deaths at the third', async () => {
    story = await createStory({ lives: { setup: () => ({ runsMs: 1000, exitCode: 1 }) } });
    await story.apply(pod({ initContainers: [container('setup')] }));
    while (story.log('container-died').length < 3) await story.advance(1);
    expect(story.view().containers[0]).toMatchObject({ name: 'setup', init: true, deaths: { Error: 3 } });
  });
});
