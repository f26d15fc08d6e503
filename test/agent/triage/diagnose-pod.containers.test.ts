import { describe, expect, it } from 'vitest';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import { diagnosePod } from '../../../src/agent/triage/diagnose-pod.ts';
import type { PodEvidence } from '../../../src/agent/triage/pod-evidence.ts';
import type { Container, ContainerState, ContainerStatus } from '../../../src/model/kubernetes.ts';
import type { Life } from '../../../src/model/life.ts';
import { podView, START } from '../events/story.ts';
import { deathOf } from './death-story.ts';

const RUNNING: ContainerState = { running: { startedAt: '2026-03-01T10:00:00Z' } };
const WAITING: ContainerState = { waiting: { reason: 'CrashLoopBackOff', message: '' } };

const statusOf = (name: string, state: ContainerState): ContainerStatus => ({
  name,
  state,
  lastState: {},
  ready: state === RUNNING,
  restartCount: 1,
  image: 'host',
  imageID: '',
  started: state === RUNNING,
});

/** A pod of one init container and one container, where the first has died once. */
function podOf(
  init: Partial<Container>,
  app: Partial<Container>,
  more: Partial<PodEvidence> = {},
): PodEvidence {
  const death = deathOf({ log: 'Error: PAYMENT_URL is not set', life: { container: 'before', init: true } });
  const life: Life = { ...death.life, verdict: diagnoseDeath(death) };
  return {
    view: podView({
      spec: {
        initContainers: [{ name: 'before', ...init }],
        containers: [{ name: 'cart', ...app }],
      },
      status: {
        phase: 'Running',
        conditions: [],
        initContainerStatuses: [statusOf('before', WAITING)],
        containerStatuses: [statusOf('cart', RUNNING)],
      },
      view: { startup: { createdAt: START, sandboxAt: START } },
    }),
    lives: [life],
    events: [],
    probes: new Map(),
    now: START + 60_000,
    ...more,
  };
}

/** One whose container and sidecar somebody made end. */
function endedPod(by: 'user' | 'eviction', message: string): PodEvidence {
  const killRequest = { by, message, at: START + 9000 };
  const end = (name: string): ContainerState => ({
    terminated: {
      containerID: `${name}-0`,
      exitCode: 137,
      finishedAt: new Date(START + 10_000).toISOString(),
      reason: 'Error',
      startedAt: new Date(START).toISOString(),
    },
  });
  const life = (name: string, init: boolean): Life => {
    const of = { container: name, init, containerId: `${name}-0`, exitCode: 137, signal: 9 };
    const death = deathOf({ life: { ...of, killRequest } });
    return { ...death.life, unrequested: false, verdict: diagnoseDeath(death) };
  };
  const pod = podOf({ restartPolicy: 'Always' }, {}, { lives: [life('before', true), life('cart', false)] });
  const { object } = pod.view;
  const status = {
    ...object.status,
    initContainerStatuses: [statusOf('before', end('before'))],
    containerStatuses: [statusOf('cart', end('cart'))],
  };
  return { ...pod, view: { ...pod.view, object: { ...object, status } } };
}

describe('a pod that was made to go', () => {
  it('has no failing sidecar: somebody asked for the end of all', () => {
    const verdict = diagnosePod(endedPod('user', 'Deleted by podvitals delete'));
    expect(verdict.cause).toBe('KilledByUser');
  });

  it('has an end that is known, where a taint or a drain made it leave', () => {
    const verdict = diagnosePod(endedPod('eviction', 'A NoExecute taint of the node is not tolerated'));
    expect(verdict).toMatchObject({ cause: 'None', confidence: 'certain' });
    expect(verdict.summary).toContain('its pod was asked to leave the node (A NoExecute taint');
  });
});

describe('a pod whose', () => {
  it('init container cannot even be started names it, too', () => {
    const waiting = {
      reason: 'RunContainerError',
      message: 'failed to start container "before": exec: "flyway": executable file not found in $PATH',
    };
    const pod = podOf({}, {}, { lives: [] });
    const { object } = pod.view;
    const status = { ...object.status, initContainerStatuses: [statusOf('before', { waiting })] };
    const verdict = diagnosePod({ ...pod, view: { ...pod.view, object: { ...object, status } } });
    expect(verdict.cause).toBe('InitContainerFailing');
    expect(verdict.summary).toContain('CommandNotFound');
  });
  it('init container dies names it, with its own cause', () => {
    const verdict = diagnosePod(podOf({}, {}));
    expect(verdict).toMatchObject({ cause: 'InitContainerFailing', confidence: 'certain' });
    expect(verdict.summary).toContain('MissingConfig');
    expect(verdict.summary).toContain('PAYMENT_URL');
  });

  it('sidecar dies names it, with its own cause', () => {
    const verdict = diagnosePod(podOf({ restartPolicy: 'Always' }, {}));
    expect(verdict.cause).toBe('SidecarFailing');
    expect(verdict.summary).toContain('MissingConfig');
  });

  it('container is throttled nearly all the time, with no probe to tell whether it bears it, is CpuThrottled', () => {
    const limits = { resources: { limits: { cpu: '50m' } } };
    const throttled = new Map([['cart', 0.97]]);
    const verdict = diagnosePod(podOf({}, limits, { lives: [], throttled }));
    expect(verdict).toMatchObject({ cause: 'CpuThrottled', failureMode: 'F11', confidence: 'likely' });
    expect(verdict.summary).toContain('50m');
  });

  it('container is throttled and answers its probe at once is well', () => {
    const probe = { httpGet: { path: '/', port: 8080 } };
    const answered = {
      at: START,
      probe: 'readiness',
      ok: true,
      target: 'GET http://10.137.0.2:8080/',
      message: '',
      latencyMs: 12,
    } as const;
    const evidence = (...latencies: readonly number[]) =>
      podOf(
        {},
        { readinessProbe: probe },
        {
          lives: [],
          throttled: new Map([['cart', 0.97]]),
          probes: new Map([['cart', latencies.map((latencyMs) => ({ ...answered, latencyMs }))]]),
        },
      );
    expect(diagnosePod(evidence(12, 12, 12)).cause).toBe('None');
    expect(diagnosePod(evidence(12, 12, 700)).cause).toBe('None');
    expect(diagnosePod(evidence(700, 640, 700)).cause).toBe('CpuThrottled');
  });
});

describe('a pod of which two containers fail', () => {
  const lifeOf = (container: string, story: Parameters<typeof deathOf>[0]): Life => {
    const death = deathOf({ ...story, life: { container, ...story?.life } });
    return { ...death.life, id: container, verdict: diagnoseDeath(death) };
  };
  const both = (app: Life, db: Life) => ({
    ...podOf({}, {}),
    view: podView({
      spec: { containers: [{ name: 'app' }, { name: 'db' }] },
      status: {
        phase: 'Running',
        conditions: [],
        containerStatuses: [statusOf('app', WAITING), statusOf('db', WAITING)],
      },
      view: { startup: { createdAt: START, sandboxAt: START } },
    }),
    lives: [app, db],
  });
  const refused = lifeOf('app', {
    log: 'Error: connect ECONNREFUSED 127.0.0.1:5432',
    life: { finishedAt: START + 9000 },
  });
  const config = lifeOf('db', { log: 'PGDATA must be set', life: { finishedAt: START + 3000 } });

  it('has the one that fails by itself for its cause, not the one that cannot reach it', () => {
    expect(diagnosePod(both(refused, config)).cause).toBe('MissingConfig');
    expect(diagnosePod(both(refused, { ...config, finishedAt: START + 20_000 })).cause).toBe('MissingConfig');
  });
  it('has no such consequence where the one needs somebody elsewhere', () => {
    const elsewhere = lifeOf('app', {
      log: 'Error: connect ECONNREFUSED 10.88.0.7:5432',
      life: { finishedAt: START + 1000 },
    });
    expect(diagnosePod(both(elsewhere, config)).cause).toBe('DependencyRefused');
  });
});
