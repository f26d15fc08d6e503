import { afterEach, describe, expect, it } from 'vitest';
import { container, createStory, pod, type Story } from './harness.ts';

let story: Story;
const REQUEST = { by: 'user', message: 'Deleted' } as const;
const deleteCart = () =>
  story.manager.delete({ kind: 'Pod', namespace: 'shop', name: 'cart', request: REQUEST });
afterEach(() => story.end());

const hooks = (command: readonly string[], rest: object = {}) =>
  pod({
    containers: [container('app', { lifecycle: { postStart: { exec: { command } } } }), container('web')],
    ...rest,
  });

// Expectations: kubernetes/pkg/kubelet/kuberuntime/kuberuntime_container.go (startContainer, killContainer) and
// kubernetes.io/docs/concepts/containers/container-lifecycle-hooks.
describe('a postStart hook', () => {
  it('holds the next container up, and keeps its own from being shown as running', async () => {
    story = await createStory();
    await story.apply(
      pod({
        containers: [
          container('app', { lifecycle: { postStart: { sleep: { seconds: 5 } } } }),
          container('web'),
        ],
      }),
    );
    await story.advance(4);
    expect(story.runtime.running()).toEqual(['cart/app']);
    expect(story.status('app').state).toEqual({ waiting: { reason: 'ContainerCreating' } });
    expect(story.pod().status.phase).toBe('Pending');
    await story.advance(2);
    expect(story.runtime.running()).toEqual(['cart/app', 'cart/web']);
    expect(story.status('app')).toMatchObject({ ready: true, state: { running: {} } });
    expect(story.pod().status.phase).toBe('Running');
  });

  it('that fails is an event, and kills its container, which then backs off', async () => {
    story = await createStory({ exec: () => ({ exitCode: 7, stderr: 'no database\n' }) });
    await story.apply(hooks(['migrate']));
    await story.advance(1);
    const failed = story.transitions.find(({ kind }) => kind === 'hook-failed');
    expect(failed).toMatchObject({
      container: 'app',
      hook: 'postStart',
      message: "command 'migrate' exited with 7: no database",
    });
    const died = story.transitions.find(({ kind }) => kind === 'container-died');
    expect(died).toMatchObject({ container: 'app', unrequested: true, killRequest: { by: 'hook' } });
    await story.advance(5);
    expect(story.status('app').state.waiting?.reason).toBe('CrashLoopBackOff');
    expect(story.log('back-off')).not.toEqual([]);
  });

  it('of a container that dies meanwhile says nothing: the death does', async () => {
    story = await createStory({ lives: { app: () => ({ runsMs: 2000, exitCode: 3 }) } });
    await story.apply(
      pod({ containers: [container('app', { lifecycle: { postStart: { sleep: { seconds: 60 } } } })] }),
    );
    await story.advance(3);
    expect(story.log('hook-failed')).toEqual([]);
    expect(story.log('container-died')).toHaveLength(1);
  });

  it('does not hold up a deletion', async () => {
    story = await createStory();
    await story.apply(
      pod({ containers: [container('app', { lifecycle: { postStart: { sleep: { seconds: 600 } } } })] }),
    );
    await story.advance(1);
    deleteCart();
    await story.advance(1);
    expect(story.pod()).toBeUndefined();
    expect(story.log('ready')).toEqual([]);
  });

  it('is not run again by the next agent', async () => {
    story = await createStory();
    await story.apply(
      pod({ containers: [container('app', { lifecycle: { postStart: { sleep: { seconds: 600 } } } })] }),
    );
    await story.advance(1);
    await story.sigkill(1);
    expect(story.status('app')).toMatchObject({ ready: true, state: { running: {} } });
  });
});

describe('a preStop hook', () => {
  const withHook = (seconds: number, grace = 30) =>
    pod({
      containers: [container('app', { lifecycle: { preStop: { sleep: { seconds } } } })],
      terminationGracePeriodSeconds: grace,
    });
  const stops = () => story.runtime.calls.filter((call) => call.startsWith('stop'));

  it('runs before the container is asked to end, and its time counts against the grace', async () => {
    story = await createStory();
    await story.apply(withHook(10));
    await story.advance(1);
    deleteCart();
    await story.advance(9);
    expect(stops()).toEqual([]);
    await story.advance(2);
    expect(stops()).toEqual(['stop cart/app 20000']);
  });

  it('that takes all of the grace leaves two seconds', async () => {
    story = await createStory();
    await story.apply(withHook(60, 10));
    await story.advance(1);
    deleteCart();
    await story.advance(11);
    expect(stops()).toEqual(['stop cart/app 2000']);
  });

  it('that fails is an event and nothing more', async () => {
    story = await createStory({ exec: () => ({ exitCode: 1 }) });
    await story.apply(
      pod({ containers: [container('app', { lifecycle: { preStop: { exec: { command: ['drain'] } } } })] }),
    );
    await story.advance(1);
    deleteCart();
    await story.advance(1);
    expect(story.log('hook-failed')).toHaveLength(1);
    expect(story.pod()).toBeUndefined();
  });

  it('is not run for a container that ended by itself', async () => {
    let asked = 0;
    story = await createStory({
      exec: () => {
        asked += 1;
        return {};
      },
      lives: { app: () => ({ runsMs: 1000, exitCode: 0 }) },
    });
    await story.apply(
      pod({
        restartPolicy: 'Never',
        containers: [container('app', { lifecycle: { preStop: { exec: { command: ['drain'] } } } })],
      }),
    );
    await story.advance(5);
    deleteCart();
    await story.advance(1);
    expect(asked).toBe(0);
  });

  it('gives way to a quicker deletion', async () => {
    story = await createStory();
    await story.apply(withHook(25));
    await story.advance(1);
    deleteCart();
    await story.advance(1);
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: 'cart',
      gracePeriodSeconds: 1,
      request: { by: 'user', message: 'Deleted' },
    });
    await story.advance(2);
    expect(story.pod()).toBeUndefined();
  });

  it('begin their hooks with the others, and need no time of their own for them when their turn comes', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 6000 }) } });
    const sidecar = (name: string, seconds: number) =>
      container(name, { restartPolicy: 'Always', lifecycle: { preStop: { sleep: { seconds } } } });
    await story.apply(
      pod({ initContainers: [sidecar('log', 3), sidecar('mesh', 8)], terminationGracePeriodSeconds: 15 }),
    );
    await story.advance(1);
    deleteCart();
    await story.advance(0);
    expect(story.log('killing')).toEqual(['1 killing', '1 killing', '1 killing']);
    await story.advance(20);
    expect(story.runtime.calls.filter((call) => call.startsWith('stop'))).toEqual([
      'stop cart/app 15000',
      // The others are gone after 6 s, its hook after 8.
      'stop cart/mesh 7000',
      'stop cart/log 7000',
    ]);
    expect(story.pod()).toBeUndefined();
  });

  it('end in the same order when the pod has done its work, has failed, or is stopped', async () => {
    const sidecar = (name: string) => container(name, { restartPolicy: 'Always' });
    const spec = {
      restartPolicy: 'Never',
      initContainers: [sidecar('log'), sidecar('mesh')],
      terminationGracePeriodSeconds: 10,
    } as const;
    const stopped = () => story.runtime.calls.filter((call) => call.startsWith('stop'));
    const slow = { log: () => ({ stopMs: 3000 }), mesh: () => ({ stopMs: 3000 }) };

    story = await createStory({ lives: { ...slow, app: () => ({ runsMs: 5000 }) } });
    await story.apply(pod(spec));
    await story.advance(20);
    expect(stopped()).toEqual(['stop cart/mesh 10000', 'stop cart/log 7000']);
    expect(story.pod().status.phase).toBe('Succeeded');
    await story.end();

    story = await createStory({ lives: slow });
    await story.apply(pod({ ...spec, activeDeadlineSeconds: 5 }));
    await story.advance(20);
    expect(stopped()).toEqual(['stop cart/app 10000', 'stop cart/mesh 10000', 'stop cart/log 7000']);
    expect(story.pod().status.phase).toBe('Failed');
    await story.end();

    story = await createStory({ lives: slow });
    await story.apply(pod(spec));
    await story.advance(1);
    const done = story.manager.control({ namespace: 'shop', name: 'cart' }, 'stop');
    await story.advance(20);
    await done;
    expect(stopped()).toEqual(['stop cart/app 10000', 'stop cart/mesh 10000', 'stop cart/log 7000']);
  });

  it('have no more than what is left of the grace when the agent died meanwhile', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 60_000 }) } });
    await story.apply(pod({ terminationGracePeriodSeconds: 30 }));
    await story.advance(1);
    deleteCart();
    await story.advance(1);
    await story.sigkill(9);
    await story.advance(1);
    const stops = story.runtime.calls.filter((call) => call.startsWith('stop'));
    expect(stops).toEqual(['stop cart/app 30000', 'stop cart/app 20000']);
  });
});

describe('last words', () => {
  it('come from the end of the log where that is asked for', async () => {
    story = await createStory({
      lives: { app: () => ({ runsMs: 1000, exitCode: 3, log: ['one', 'cannot open the till'] }) },
    });
    await story.apply(
      pod({
        restartPolicy: 'Never',
        containers: [container('app', { terminationMessagePolicy: 'FallbackToLogsOnError' })],
      }),
    );
    await story.advance(2);
    expect(story.status('app').state.terminated?.message).toBe('one\ncannot open the till\n');
  });
});

describe('a container that must not run as root', () => {
  it('and would, waits with the words of the kubelet', async () => {
    story = await createStory();
    await story.apply(
      pod({
        securityContext: { runAsNonRoot: true },
        containers: [
          container('app', { securityContext: { runAsUser: 0 } }),
          container('web', { securityContext: { runAsUser: 1000 } }),
        ],
      }),
    );
    await story.advance(1);
    expect(story.status('app').state.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: expect.stringMatching(
        /^container's runAsUser breaks non-root policy \(pod: "cart_shop\(.*\)", container: app\)$/,
      ),
    });
    expect(story.runtime.running()).toEqual(['cart/web']);
  });

  it.each([
    [0, 'container has runAsNonRoot and image will run as root'],
    [
      'bob',
      'container has runAsNonRoot and image has non-numeric user (bob), cannot verify user is non-root',
    ],
  ])('is refused by the user of its image: %s', async (imageUser, message) => {
    story = await createStory({ imageUser });
    await story.apply(
      pod({ securityContext: { runAsNonRoot: true }, containers: [container('app', { image: 'shop:1' })] }),
    );
    await story.advance(1);
    expect(story.status('app').state.waiting?.message).toContain(message);
    expect(story.runtime.running()).toEqual([]);
  });
});

// Source: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle (stop signals), KEP-4960
describe('a container with a stop signal of its own', () => {
  const begin = async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 2000 }) } });
    const app = container('app', { lifecycle: { stopSignal: 'SIGQUIT' } });
    await story.apply(pod({ os: { name: 'linux' }, containers: [app, container('web')] }));
    await story.advance(1);
  };

  it('is asked by that to end, its status says so, and its death tells the signal and who asked', async () => {
    await begin();
    expect(story.status('app').stopSignal).toBe('SIGQUIT');
    expect(story.status('web').stopSignal).toBe('SIGTERM');
    deleteCart();
    await story.advance(5);
    expect(story.runtime.calls.filter((call) => call.startsWith('stop'))).toEqual([
      'stop cart/app 30000 SIGQUIT',
      'stop cart/web 30000',
    ]);
    const died = story.transitions.filter(({ kind }) => kind === 'container-died');
    expect(died).toContainEqual(
      expect.objectContaining({
        container: 'app',
        exitCode: 131,
        signal: 3,
        killRequest: expect.objectContaining(REQUEST),
        unrequested: false,
      }),
    );
  });

  it('keeps it when the agent died meanwhile', async () => {
    await begin();
    await story.sigkill(1);
    await story.advance(1);
    expect(story.status('app').stopSignal).toBe('SIGQUIT');
    deleteCart();
    await story.advance(1);
    expect(story.runtime.calls).toContain('stop cart/app 30000 SIGQUIT');
  });
});

// Source: kubernetes/pkg/kubelet/kuberuntime/kuberuntime_termination_order.go (KEP-753)
describe('sidecars of a pod that is deleted', () => {
  it('end after the others, the last one first, in what is left of the grace', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 6000 }) } });
    const sidecar = (name: string) => container(name, { restartPolicy: 'Always' });
    await story.apply(
      pod({ initContainers: [sidecar('log'), sidecar('mesh')], terminationGracePeriodSeconds: 10 }),
    );
    await story.advance(1);
    expect(story.runtime.running()).toEqual(['cart/log', 'cart/mesh', 'cart/app']);
    deleteCart();
    await story.advance(10);
    expect(story.runtime.calls.filter((call) => call.startsWith('stop'))).toEqual([
      'stop cart/app 10000',
      'stop cart/mesh 4000',
      'stop cart/log 4000',
    ]);
    expect(story.pod()).toBeUndefined();
  });
});
