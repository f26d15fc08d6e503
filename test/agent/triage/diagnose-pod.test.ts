import { describe, expect, it } from 'vitest';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import { diagnosePod } from '../../../src/agent/triage/diagnose-pod.ts';
import type { PodEvidence } from '../../../src/agent/triage/pod-evidence.ts';
import type { PodEvent } from '../../../src/model/event.ts';
import type { Container, ContainerState, PodStatus } from '../../../src/model/kubernetes.ts';
import type { Life, ProbeResult } from '../../../src/model/life.ts';
import { CART, podView, START } from '../events/story.ts';
import { deathOf } from './death-story.ts';

const RUNNING: ContainerState = { running: { startedAt: '2026-03-01T10:00:00Z' } };

interface Story {
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
  readonly ready?: boolean;
  readonly spec?: Partial<Container>;
  readonly readyAt?: number;
  readonly sandboxAt?: number | null;
  readonly lives?: readonly Life[];
  readonly event?: Partial<PodEvent>;
  readonly probe?: Partial<ProbeResult>;
  readonly ports?: readonly number[];
  readonly address?: string;
  readonly afterMs?: number;
  readonly phase?: PodStatus['phase'];
}

function podOf(story: Story): PodEvidence {
  const ready = story.ready === true;
  const startup = { createdAt: START, ...(story.sandboxAt === null ? {} : { sandboxAt: START + 10 }) };
  const view = podView({
    spec: { containers: [{ name: 'cart', image: 'shop/cart:11', ...story.spec }] },
    status: {
      phase: story.phase ?? 'Running',
      conditions: [
        {
          type: 'Ready',
          status: ready ? 'True' : 'False',
          lastProbeTime: null,
          lastTransitionTime: '2026-03-01T10:00:00Z',
        },
      ],
      containerStatuses: [
        {
          name: 'cart',
          state: story.state ?? RUNNING,
          lastState: story.lastState ?? {},
          ready,
          restartCount: 1,
          image: 'shop/cart:11',
          imageID: '',
          started: true,
        },
      ],
    },
    view: { startup: { ...startup, ...(story.readyAt === undefined ? {} : { readyAt: story.readyAt }) } },
  });
  const event: PodEvent = {
    id: 'event-11',
    at: START,
    pod: CART,
    container: 'cart',
    type: 'Warning',
    reason: 'Failed',
    message: '',
    ...story.event,
  };
  const probe: ProbeResult = {
    at: START,
    probe: 'readiness',
    ok: false,
    target: 'GET http://10.88.0.2:8080/readyz',
    message: 'connection refused',
    latencyMs: 1,
    ...story.probe,
  };
  return {
    view,
    lives: story.lives ?? [],
    events: story.event ? [event] : [],
    probes: new Map([['cart', story.probe ? [probe] : []]]),
    ...(story.ports
      ? { listening: story.ports.map((port) => ({ address: story.address ?? '0.0.0.0', port })) }
      : {}),
    now: START + (story.afterMs ?? 60_000),
  };
}
const verdictOf = (story: Story) => diagnosePod(podOf(story));

const crash = (attempt: number, finishedAt: number): Life => {
  const death = deathOf({ log: 'FATAL: LEDGER_URL is not set' });
  const life = { ...death.life, id: `life-${attempt}`, attempt, startedAt: finishedAt - 1000, finishedAt };
  return { ...life, verdict: diagnoseDeath({ ...death, life }) };
};
const waiting = (reason: string, message = ''): ContainerState => ({ waiting: { reason, message } });
const readinessProbe = { httpGet: { path: '/readyz', port: 8080 } };

describe('a pod that', () => {
  it('is ready has nothing wrong with it', () => {
    expect(verdictOf({ ready: true, readyAt: START + 900 })).toMatchObject({
      cause: 'None',
      failureMode: null,
    });
  });

  it('waits in back-off has the cause of its last death', () => {
    const verdict = verdictOf({
      state: waiting('CrashLoopBackOff'),
      lives: [crash(0, START)],
      afterMs: 3_600_000,
    });
    expect(verdict.cause).toBe('MissingConfig');
  });

  it('runs again shortly after a death has its cause still, and ten minutes later no more', () => {
    const story = { ready: true, readyAt: START, lives: [crash(0, START)] };
    expect(verdictOf({ ...story, afterMs: 60_000 }).cause).toBe('MissingConfig');
    expect(verdictOf({ ...story, afterMs: 601_000 }).cause).toBe('None');
  });

  it('dies every twelve minutes is a crash loop all the time', () => {
    const lives = [0, 1, 2].map((attempt) => crash(attempt, START + attempt * 720_000));
    const verdict = verdictOf({ ready: true, readyAt: START, lives, afterMs: 1_440_000 + 700_000 - 400_000 });
    expect(verdict.summary).toContain('died 3 times within 30 minutes');
  });

  it("cannot pull its image says why in the registry's terms", () => {
    const message = 'manifest for shop/cart:11 not found: manifest unknown';
    const verdict = verdictOf({ state: waiting('ImagePullBackOff', message), event: { message } });
    expect(verdict).toMatchObject({
      cause: 'ImageNotFound',
      failureMode: 'F3',
      evidence: [{ source: 'event-11' }],
    });
    expect(verdict.summary).toContain('no such image or tag');
  });

  it.each([
    ['configmap "shop" not found', 'the ConfigMap shop'],
    ['secret "pay" not found', 'the Secret pay'],
    ["couldn't find key URL in ConfigMap shop/settings", 'the key URL of the ConfigMap settings'],
  ])('refers to what does not exist names it: %s', (message, named) => {
    const verdict = verdictOf({ state: waiting('CreateContainerConfigError', message) });
    expect(verdict).toMatchObject({ cause: 'MissingConfig', failureMode: 'F1', confidence: 'certain' });
    expect(verdict.summary).toContain(named);
  });

  it.each([
    [
      'container has runAsNonRoot and image will run as root (pod: "a_b(c)", container: cart)',
      'nothing names',
    ],
    [`container's runAsUser breaks non-root policy (pod: "a_b(c)", container: cart)`, 'runAsUser is 0'],
  ])('may not run as root and would is no matter of volumes: %s', (message, why) => {
    const verdict = verdictOf({ state: waiting('CreateContainerConfigError', message) });
    expect(verdict).toMatchObject({ cause: 'StartError', failureMode: 'F1', confidence: 'certain' });
    expect(verdict.summary).toContain(why);
    expect(verdict.next[0]?.why).toContain('runAsUser');
  });

  it('has a part of a volume that cannot be mounted is a matter of volumes', () => {
    const message = 'failed to prepare subPath for volumeMount "data": it leads out of its volume';
    const verdict = verdictOf({ state: waiting('CreateContainerConfigError', message) });
    expect(verdict).toMatchObject({ cause: 'VolumeMountFailed', failureMode: 'F6' });
  });

  it('cannot mount a volume names what is missing', () => {
    const message = 'MountVolume.SetUp failed for volume "settings" : configmap "shop" not found';
    const verdict = verdictOf({
      state: waiting('ContainerCreating'),
      sandboxAt: null,
      event: { reason: 'FailedMount', message },
    });
    expect(verdict).toMatchObject({ cause: 'MissingConfig', failureMode: 'F6' });
    expect(verdict.summary).toContain('Volume settings');
  });

  it.each([
    [
      'failed to start container "cart": exec: "shop-server": executable file not found in $PATH',
      'CommandNotFound',
    ],
    ['failed to start container "cart": exec: "/app/run": permission denied', 'PermissionDenied'],
    ['failed to start container "cart": the overlay over / could not be mounted', 'StartError'],
  ])('cannot be started says why: %s', (message, cause) => {
    expect(verdictOf({ state: waiting('RunContainerError', message) }).cause).toBe(cause);
  });

  it('listens elsewhere than its probe asks says both ports', () => {
    const verdict = verdictOf({ spec: { readinessProbe }, probe: {}, ports: [8081] });
    expect(verdict).toMatchObject({ cause: 'ReadinessProbeWrong', failureMode: 'F4', confidence: 'certain' });
    expect(verdict.summary).toContain('nothing listens on port 8080; the pod listens on port 8081');
  });

  it('listens on the loopback address only says so', () => {
    const verdict = verdictOf({ spec: { readinessProbe }, probe: {}, ports: [8080], address: '127.0.0.1' });
    expect(verdict.summary).toContain('loopback address only');
  });

  it('takes longer than 30 s to become ready for the first time is a slow start', () => {
    const story = {
      spec: { readinessProbe },
      probe: { message: 'HTTP probe failed with statuscode: 503' },
      ports: [8080],
    };
    expect(verdictOf({ ...story, afterMs: 10_000 }).cause).toBe('None');
    expect(verdictOf({ ...story, afterMs: 40_000 })).toMatchObject({
      cause: 'ReadinessProbeFailing',
      failureMode: 'F12',
    });
    expect(verdictOf({ ...story, afterMs: 400_000 }).cause).toBe('ReadinessProbeFailing');
  });

  it('is not ready any more says what the probe got', () => {
    const verdict = verdictOf({
      spec: { readinessProbe },
      readyAt: START + 900,
      probe: { message: 'HTTP probe failed with statuscode: 500' },
      ports: [8080],
    });
    expect(verdict.cause).toBe('ReadinessProbeFailing');
    expect(verdict.summary).toContain('is not ready any more');
    expect(verdict.summary).toContain('statuscode: 500');
  });

  it('lost a child to the kernel and runs on is ChildOOMKilled', () => {
    const event = { reason: 'OOMKill', attempt: 1, message: 'The kernel killed process convert (pid 47)' };
    expect(verdictOf({ ready: true, readyAt: START, event })).toMatchObject({
      cause: 'ChildOOMKilled',
      failureMode: 'F2',
    });
  });

  it('ended before anybody looked is unknown, and says what is missing', () => {
    const end = {
      exitCode: 1,
      reason: 'Error',
      startedAt: '2026-03-01T09:00:00Z',
      finishedAt: '2026-03-01T09:00:01Z',
      containerID: 'x',
    };
    const verdict = verdictOf({ state: waiting('CrashLoopBackOff'), lastState: { terminated: end } });
    expect(verdict).toMatchObject({ cause: 'Unknown', confidence: 'unknown' });
    expect(verdict.summary).toContain('missing');
  });

  it('did its work has nothing wrong with it', () => {
    const end = {
      exitCode: 0,
      reason: 'Completed',
      startedAt: '2026-03-01T09:00:00Z',
      finishedAt: '2026-03-01T09:00:01Z',
      containerID: 'x',
    };
    expect(verdictOf({ phase: 'Succeeded', state: { terminated: end } }).cause).toBe('None');
  });
});

describe('names that attack a shell', () => {
  it('are quoted in the commands', () => {
    const evidence = podOf({ state: waiting('RunContainerError', 'boom') });
    const ref = { ...evidence.view.ref, name: "x'; reboot; '" };
    const verdict = diagnosePod({ ...evidence, view: { ...evidence.view, ref } });
    for (const { command } of verdict.next) {
      if (command.includes('reboot')) expect(command).toContain(`'shop/x'\\''; reboot; '\\'''`);
    }
  });
});
