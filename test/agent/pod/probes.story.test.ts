// Source: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/,
// kubernetes/pkg/kubelet/prober/worker.go and prober_manager.go
import { afterEach, describe, expect, it } from 'vitest';
import type { ProbeRunner } from '../../../src/agent/pod/prober/probe.ts';
import type { Probe } from '../../../src/model/kubernetes.ts';
import { container, createStory, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

/** Probes that answer by the name in their command, as of now. */
function answers(now: Record<string, boolean | (() => boolean)>): ProbeRunner {
  return async (probe) => {
    const name = probe.exec!.command[0]!;
    const answer = now[name];
    const ok = typeof answer === 'function' ? answer() : (answer ?? false);
    return { ok, message: ok ? '' : 'HTTP probe failed with statuscode: 503', target: `exec ${name}` };
  };
}

const ask = (name: string, rest: Partial<Probe> = {}): Probe => ({ exec: { command: [name] }, ...rest });
const kills = () => story.log('killing');

describe('a readiness probe', () => {
  it('makes the pod Ready when it succeeds and not Ready after three failures, ten seconds apart', async () => {
    const now = { ready: false };
    story = await createStory({ runProbe: answers(now) });
    await story.apply(pod({ containers: [container('app', { readinessProbe: ask('ready') })] }));
    await story.advance(15);
    expect(story.status()).toMatchObject({ ready: false, started: true });
    expect(story.pod().status.conditions.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [app]',
    });
    now.ready = true;
    await story.advance(10);
    now.ready = false;
    await story.advance(60);
    // Asked at 0, 10, 20 (succeeds), 30, 40, 50 (third failure).
    expect(story.log('ready', 'not-ready')).toEqual(['20 ready', '50 not-ready']);
    expect(story.status().restartCount).toBe(0);
  });

  it('waits its initial delay after the start', async () => {
    story = await createStory({ runProbe: answers({ ready: true }) });
    await story.apply(
      pod({ containers: [container('app', { readinessProbe: ask('ready', { initialDelaySeconds: 7 }) })] }),
    );
    await story.advance(20);
    expect(story.log('ready')).toEqual(['7 ready']);
  });

  it('needs as many successes in a row as its threshold says', async () => {
    let asked = 0;
    // yes, no, yes, yes, yes
    story = await createStory({ runProbe: answers({ ready: () => asked++ !== 1 }) });
    const readinessProbe = ask('ready', { successThreshold: 3, periodSeconds: 1 });
    await story.apply(pod({ containers: [container('app', { readinessProbe })] }));
    await story.advance(10);
    expect(story.log('ready')).toEqual(['4 ready']);
  });

  it('counts its results', async () => {
    story = await createStory({ runProbe: answers({ ready: false }) });
    await story.apply(
      pod({ containers: [container('app', { readinessProbe: ask('ready', { periodSeconds: 1 }) })] }),
    );
    await story.advance(4);
    expect(story.view().containers[0]?.probes).toEqual({ readiness: { succeeded: 0, failed: 5 } });
    const last = story.transitions.findLast(({ kind }) => kind === 'probe');
    expect(last).toMatchObject({
      inARow: 5,
      threshold: 3,
      result: {
        probe: 'readiness',
        ok: false,
        target: 'exec ready',
        message: 'HTTP probe failed with statuscode: 503',
      },
    });
  });
});

describe('a liveness probe', () => {
  it('kills and restarts after three failures, and the death counts as unrequested', async () => {
    const now = { live: true };
    story = await createStory({ runProbe: answers(now) });
    await story.advance(60);
    await story.apply(pod({ containers: [container('app', { livenessProbe: ask('live') })] }));
    await story.advance(5);
    now.live = false;
    await story.advance(30);
    // Asked at 60, then failing at 70, 80, 90.
    expect(kills()).toEqual(['90 killing']);
    expect(story.log('container-started')).toEqual(['60 container-started', '90 container-started']);
    expect(story.transitions.find(({ kind }) => kind === 'container-died')).toMatchObject({
      exitCode: 143,
      reason: 'Error',
      unrequested: true,
      killRequest: { by: 'probe', message: 'Container app failed liveness probe, will be restarted' },
    });
    expect(story.runtime.calls.filter((call) => call.startsWith('stop'))).toEqual(['stop cart/app 30000']);
  });

  it("gives its own grace instead of the pod's", async () => {
    story = await createStory({ runProbe: answers({}), lives: { app: () => ({ stopMs: 60_000 }) } });
    await story.advance(60);
    const livenessProbe = ask('live', { failureThreshold: 1, terminationGracePeriodSeconds: 4 });
    await story.apply(pod({ containers: [container('app', { livenessProbe })] }));
    await story.advance(5);
    expect(story.runtime.calls).toContain('stop cart/app 4000');
    expect(story.transitions.find(({ kind }) => kind === 'container-died')).toMatchObject({
      exitCode: 137,
      reason: 'Error',
    });
    expect(story.log('container-died')).toEqual(['64 container-died']);
  });

  it('is asked no more once it has failed', async () => {
    let asked = 0;
    story = await createStory({
      runProbe: answers({ live: () => asked++ < 0 }),
      lives: { app: [{ unstoppable: true }] },
    });
    await story.advance(60);
    await story.apply(
      pod({ containers: [container('app', { livenessProbe: ask('live', { periodSeconds: 1 }) })] }),
    );
    await story.advance(30);
    expect(asked).toBe(3);
  });

  it('of containers met at the start of the agent begins somewhere in its first period', async () => {
    story = await createStory({ runProbe: answers({ live: true }), random: () => 0.5 });
    await story.apply(pod({ containers: [container('app', { livenessProbe: ask('live') })] }));
    await story.advance(20);
    expect(story.log('probe')).toEqual(['5 probe', '15 probe']);
  });
});

describe('a startup probe', () => {
  it('holds back the others until it has succeeded', async () => {
    const now = { start: false, live: true, ready: true };
    story = await createStory({ runProbe: answers(now) });
    await story.advance(60);
    const probes = {
      startupProbe: ask('start', { periodSeconds: 2, failureThreshold: 30 }),
      livenessProbe: ask('live'),
      readinessProbe: ask('ready'),
    };
    await story.apply(pod({ containers: [container('app', probes)] }));
    await story.advance(5);
    expect(story.status()).toMatchObject({ started: false, ready: false });
    expect(story.view().containers[0]?.probes).toEqual({ startup: { succeeded: 0, failed: 3 } });
    now.start = true;
    await story.advance(1);
    expect(story.status()).toMatchObject({ started: true, ready: true });
    expect(story.log('ready')).toEqual(['66 ready']);
  });

  it('kills when it fails too often', async () => {
    story = await createStory({ runProbe: answers({}) });
    await story.advance(60);
    const startupProbe = ask('start', { periodSeconds: 1, failureThreshold: 5 });
    await story.apply(pod({ containers: [container('app', { startupProbe })] }));
    await story.advance(4);
    expect(kills()).toEqual(['64 killing']);
  });
});
