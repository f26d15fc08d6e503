import { afterEach, describe, expect, it } from 'vitest';
import { container, createStory, deployment, pod, type Story, seededRandom } from './harness.ts';

let story: Story;
afterEach(() => story.end());

const lives = { app: () => ({ runsMs: 5000, exitCode: 1 }) };
const workload = () => story.manager.views().workloads[0]!;

describe('an agent after another', () => {
  it('takes over running pods without a restart and without a word', async () => {
    story = await createStory();
    await story.apply(pod());
    await story.advance(20);
    const before = story.pod();
    story.transitions.length = 0;
    await story.sigkill(30);
    expect(story.transitions).toEqual([]);
    expect(story.pod()).toEqual(before);
    expect(story.runtime.running()).toEqual(['cart/app']);
  });

  it('tells of deaths nobody saw at their own time, and goes on with the back-off', async () => {
    story = await createStory({ lives });
    await story.apply(pod());
    // Lives: 0-5, 5-10, then back-off until 20.
    await story.advance(7);
    await story.sigkill(8);
    expect(story.log('container-died')).toEqual(['5 container-died', '10 container-died']);
    expect(story.status().state.waiting?.reason).toBe('CrashLoopBackOff');
    await story.advance(10);
    expect(story.log('container-started').at(-1)).toBe('20 container-started');
    expect(story.view().containers[0]).toMatchObject({
      attempt: 2,
      deaths: { Error: 3 },
      crashLoops: 2,
      backOffMs: 10_000,
    });
  });

  it('keeps a back-off that was under way', async () => {
    story = await createStory({ lives });
    await story.apply(pod());
    await story.advance(12);
    await story.sigkill(3);
    expect(story.view().containers[0]).toMatchObject({ crashLoops: 1, backOff: { delayMs: 10_000 } });
    await story.advance(100);
    // 20-25, +20 = 45-50, +40 = 90-95.
    expect(story.log('container-started').slice(-2)).toEqual([
      '45 container-started',
      '90 container-started',
    ]);
  });

  it('counts a death between two agents as requested when it was', async () => {
    story = await createStory({ lives: { app: [{ stopMs: 5000 }] } });
    await story.apply(pod());
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'cart',
      request: { by: 'user', message: 'deleted' },
    });
    await story.advance(2);
    await story.sigkill(10);
    expect(story.transitions.find(({ kind }) => kind === 'container-died')).toMatchObject({
      killRequest: { by: 'user' },
      unrequested: false,
    });
    expect(story.pod()).toBeUndefined();
    expect(story.runtime.calls.at(-1)).toBe('remove cart');
  });

  it('ends what vanished without a trace, and begins again with the init containers', async () => {
    story = await createStory({ lives: { setup: () => ({ runsMs: 1000 }) } });
    await story.apply(pod({ initContainers: [container('setup')] }));
    await story.advance(61);
    story.runtime.reboot();
    await story.sigkill(100);
    await story.advance(5);
    expect(story.status('app')).toMatchObject({
      restartCount: 1,
      lastState: {
        terminated: { reason: 'ContainerStatusUnknown', exitCode: 137, finishedAt: '2026-01-01T00:01:01Z' },
      },
    });
    expect(story.status('setup')).toMatchObject({
      restartCount: 1,
      state: { terminated: { reason: 'Completed' } },
    });
    expect(story.pod().status.phase).toBe('Running');
  });

  it('removes sandboxes of pods it does not know', async () => {
    story = await createStory();
    await story.runtime.runSandbox({
      podUid: 'stray',
      namespace: 'shop',
      name: 'stray',
      hostname: 'stray',
      hostNetwork: false,
    });
    await story.sigkill(1);
    expect(story.runtime.calls.at(-1)).toBe('remove stray');
  });

  it('sets a pod up to its end whose sandbox was made and not written down', async () => {
    story = await createStory();
    await story.apply(pod({ volumes: [{ name: 'settings', configMap: { name: 'settings' } }] }));
    await story.advance(1);
    const { uid } = story.pod().metadata;
    const { name, namespace } = story.pod().metadata;
    await story.runtime.runSandbox({ podUid: uid, namespace, name, hostname: name, hostNetwork: false });
    await story.sigkill(1);
    await story.apply({
      file: 'shop.yaml',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace },
      data: {},
    });
    await story.advance(300);
    expect(story.log('sandbox-ready')).toHaveLength(1);
    expect(story.pod().status).toMatchObject({ phase: 'Running', podIP: expect.stringMatching(/^10\.88\./) });
  });

  it('finds the same whenever the one before was killed', async () => {
    const tell = async (killAt: number | undefined) => {
      story = await createStory({ lives, random: seededRandom(12) });
      await story.apply(pod());
      if (killAt !== undefined) {
        await story.advance(killAt);
        await story.sigkill(0);
      }
      await story.advance(130 - story.at());
      const { containers } = story.view();
      const told = { containers, deaths: story.log('container-died'), workload: workload() };
      await story.end();
      return told;
    };
    const undisturbed = await tell(undefined);
    expect(undisturbed.containers[0]).toMatchObject({ attempt: 4, deaths: { Error: 5 } });
    for (const killAt of [0, 1, 4.999, 5, 5.001, 9, 10, 12, 20, 24, 25, 33, 45, 90, 94]) {
      expect(await tell(killAt), `killed at ${killAt} s`).toEqual(undisturbed);
    }
  });
});

describe('an agent killed while its facts were not yet durable', () => {
  it('leaves every life counted once', async () => {
    for (let killAt = 4.5; killAt < 12; killAt += 0.1) {
      story = await createStory({ lives, writeMs: 250 });
      await story.apply(pod());
      await story.advance(killAt - story.at());
      await story.sigkill(0.3);
      await story.advance(70 - story.at());
      const started = story.runtime.calls.filter((call) => call.startsWith('start ')).length;
      const { attempt, deaths, running, requestedDeaths } = story.view().containers[0]!;
      const told = new Set(
        story.transitions.flatMap((fact) => (fact.kind === 'container-died' ? fact.attempt : [])),
      );
      const place = `killed at ${killAt.toFixed(1)} s`;
      expect(attempt + 1, place).toBe(started);
      expect(deaths, place).toEqual({
        Completed: 0,
        Error: started - (running ? 1 : 0),
        OOMKilled: 0,
        StartError: 0,
      });
      expect(requestedDeaths, place).toEqual({});
      expect(told.size, place).toBe(deaths.Error);
      expect(workload().restarts, place).toBe(attempt);
      await story.end();
    }
  });
});

describe('counts of a workload', () => {
  it('are exact by the clock', async () => {
    story = await createStory({
      lives: { app: (attempt) => (attempt < 2 ? { runsMs: 5000, exitCode: 1 } : {}) },
    });
    await story.apply(pod());
    await story.advance(40);
    // Ready 0-5, 5-10 and 20-40.
    expect(workload()).toMatchObject({
      name: 'cart',
      type: 'barepod',
      desired: 1,
      ready: 1,
      desiredPodSeconds: 40,
      readyPodSeconds: 30,
      podSeconds: 40,
      restarts: 2,
      initRestarts: 0,
      crashLoops: 1,
      starts: { judged: 1, slow: 0 },
    });
    expect(workload().startup).toMatchObject({ count: 1, sum: 0 });
  });

  it('are exact over the death of the agent, with the deaths nobody saw', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 12_000, exitCode: 1 }, {}] } });
    await story.apply(deployment(3));
    await story.advance(10);
    await story.sigkill(20);
    await story.advance(10);
    // Three pods, ready for 12 s, down until the agent is back at 30 s, ready again until 40 s.
    expect(workload()).toMatchObject({
      desired: 3,
      ready: 3,
      desiredPodSeconds: 120,
      readyPodSeconds: 66,
      podSeconds: 120,
      restarts: 3,
    });
  });

  it('survive the pods', async () => {
    story = await createStory({
      lives: { app: (attempt) => (attempt < 1 ? { runsMs: 5000, exitCode: 1 } : {}) },
    });
    await story.apply(deployment(1));
    await story.advance(60);
    const { metadata } = story.manager.list('Pod', 'shop')[0]!;
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: metadata.name,
      request: { by: 'user', message: 'deleted' },
    });
    await story.advance(60);
    expect(workload()).toMatchObject({ restarts: 2, starts: { judged: 2, slow: 0 } });
    await story.sigkill(1);
    expect(workload()).toMatchObject({ restarts: 2, starts: { judged: 2, slow: 0 } });
  });

  it('judge a start at thirty seconds', async () => {
    story = await createStory({
      runProbe: async () => ({ ok: story.at() >= 45, message: '', target: 'exec ready' }),
    });
    const readinessProbe = { exec: { command: ['ready'] }, periodSeconds: 1 };
    await story.apply(pod({ containers: [container('app', { readinessProbe })] }));
    await story.advance(29);
    expect(workload().starts).toEqual({ judged: 0, slow: 0 });
    await story.advance(1);
    expect(workload().starts).toEqual({ judged: 1, slow: 1 });
    await story.advance(60);
    expect(workload().starts).toEqual({ judged: 1, slow: 1 });
    expect(workload().startup).toMatchObject({ count: 1, sum: 45 });
  });

  it('do not want a pod that has done its work', async () => {
    story = await createStory({ lives: { app: [{ runsMs: 5000 }] } });
    await story.apply(pod({ restartPolicy: 'Never' }));
    await story.advance(60);
    expect(workload()).toMatchObject({
      desired: 0,
      ready: 0,
      desiredPodSeconds: 5,
      readyPodSeconds: 5,
      podSeconds: 60,
    });
  });
});
