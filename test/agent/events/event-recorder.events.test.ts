import { afterEach, describe, expect, it } from 'vitest';
import { createEventRecorder, type EventRecorder } from '../../../src/agent/events/event-recorder.ts';
import { createFlightRecorder } from '../../../src/agent/events/flight-recorder.ts';
import type { PodTransition } from '../../../src/agent/pod/transition.ts';
import type { AgentRecord } from '../../../src/model/record.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { CART, podView, START, usage } from './story.ts';

const recorders: EventRecorder[] = [];
afterEach(() => {
  for (const recorder of recorders.splice(0)) recorder.close();
});

function tell() {
  const clock = createFakeClock(START);
  const flightRecorder = createFlightRecorder();
  const records: AgentRecord[] = [];
  const recorder = createEventRecorder({
    node: CART.node,
    clock,
    flightRecorder,
    logs: async () => [],
    view: () => podView(),
    emit: (batch) => void records.push(...batch),
  });
  recorders.push(recorder);
  const events = () => records.flatMap((record) => (record.kind === 'event' ? [record.event] : []));
  const states = () => records.flatMap((record) => (record.kind === 'pod' ? [record.state] : []));
  return { clock, flightRecorder, recorder, records, events, states };
}

const base = { at: START, pod: CART } as const;
const of = { ...base, container: 'cart', init: false, attempt: 2 } as const;
const failedProbe = (at: number, message = 'HTTP probe failed with statuscode: 503'): PodTransition => ({
  ...of,
  at,
  kind: 'probe',
  inARow: 1,
  threshold: 3,
  result: { at, probe: 'readiness', ok: false, target: 'GET http://10.88.0.2:8080/', message, latencyMs: 2 },
});

describe('a transition in words', () => {
  const cases: readonly (readonly [PodTransition, readonly string[]])[] = [
    [{ ...base, kind: 'pod-scheduled' }, ['Scheduled: Successfully assigned shop/cart-5d9c-x7 to node-11']],
    [
      { ...base, kind: 'sandbox-failed', message: 'no address left' },
      ['FailedCreatePodSandBox: Failed to create pod sandbox: no address left'],
    ],
    [
      { ...base, kind: 'config-failed', message: 'configmap "shop" not found' },
      ['Failed: Error: configmap "shop" not found'],
    ],
    [
      { ...of, kind: 'image-failed', image: 'x:1', reason: 'ErrImagePull', message: 'not here' },
      ['Failed: Failed to pull image "x:1": not here'],
    ],
    [
      { ...of, kind: 'container-started', containerId: 'c-2', pid: 11 },
      ['Created: Created container: cart', 'Started: Started container cart'],
    ],
    [
      { ...of, kind: 'killing', request: { by: 'delete', message: '', at: START } },
      ['Killing: Stopping container cart'],
    ],
    [
      { ...of, kind: 'back-off', delayMs: 20_000, untilMs: START + 20_000 },
      ['BackOff: Back-off restarting failed container cart in pod cart-5d9c-x7_shop(7b0c)'],
    ],
    [failedProbe(START), ['Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503']],
    [{ ...base, kind: 'ready', first: true }, ['Ready: Pod is ready']],
    [{ ...base, kind: 'phase', phase: 'Running' }, []],
  ];
  for (const [transition, words] of cases) {
    it(`is Kubernetes' own: ${words.join(', ') || 'nothing'}`, () => {
      const { recorder, events } = tell();
      recorder.onTransition(transition);
      expect(events().map(({ reason, message }) => `${reason}: ${message}`)).toEqual(words);
    });
  }

  it('has no secret in it', () => {
    const { recorder, events } = tell();
    recorder.onTransition({
      ...of,
      kind: 'start-failed',
      reason: 'RunContainerError',
      message: 'redis://:hunter2@r refused',
    });
    expect(JSON.stringify(events())).not.toContain('hunter2');
  });
});

describe('a flapping probe', () => {
  it('is told at once, then once a minute with a count', async () => {
    const { clock, recorder, events } = tell();
    for (let second = 0; second < 180; second += 1) {
      recorder.onTransition(
        failedProbe(clock.now(), `HTTP probe failed with statuscode: 503 after ${second} ms`),
      );
      await clock.advance(1000);
    }
    await clock.advance(61_000);
    expect(events().length).toBeLessThanOrEqual(8);
    expect(events()[1]!.details).toMatchObject({ count: 59 });
    expect(new Set(events().map(({ id }) => id)).size).toBe(events().length);
  }, 60_000);

  it('with ever new words is bounded, and what is not told is counted', () => {
    const { recorder, events } = tell();
    const word = (index: number) => String.fromCharCode(97 + (index % 26)).repeat(1 + Math.floor(index / 26));
    for (let index = 0; index < 500; index += 1)
      recorder.onTransition(failedProbe(START + index, word(index)));
    expect(events().length).toBeLessThanOrEqual(60);
    expect(recorder.dropped).toBeGreaterThan(0);
  });
});

describe('the state of a pod', () => {
  const named = (phase: 'Pending' | 'Running') => podView({ status: { phase } });

  it('is told when it changes, at most once a second, the last one always', async () => {
    const { clock, recorder, states } = tell();
    for (let change = 0; change < 9; change += 1) {
      recorder.podChanged(named(change % 2 === 0 ? 'Pending' : 'Running'));
      await clock.advance(50);
    }
    recorder.podChanged(named('Running'));
    expect(states()).toHaveLength(1);
    await clock.advance(1000);
    expect(states().map(({ object }) => object.status.phase)).toEqual(['Pending', 'Running']);
    recorder.podChanged(named('Running'));
    await clock.advance(10_000);
    expect(states()).toHaveLength(2);
  });

  it('is told again when time alone changes the verdict', async () => {
    const { clock, recorder, states } = tell();
    const running = {
      name: 'cart',
      state: { running: { startedAt: '2026-03-01T10:00:00Z' } },
      lastState: {},
      ready: false,
      restartCount: 0,
      image: '',
      imageID: '',
      started: true,
    };
    recorder.onTransition({ ...of, kind: 'container-started', containerId: 'c-2', pid: 11 });
    recorder.onTransition(failedProbe(START));
    recorder.podChanged(podView({ status: { containerStatuses: [running] } }));
    expect(states().at(-1)!.verdict.cause).toBe('None');
    await clock.advance(40_000);
    expect(states().at(-1)!.verdict.cause).toBe('ReadinessProbeFailing');
  });

  it('has no secret in it', () => {
    const { recorder, states } = tell();
    recorder.podChanged(
      podView({ spec: { containers: [{ name: 'cart', env: [{ name: 'DB_PASSWORD', value: 'hunter2' }] }] } }),
    );
    expect(JSON.stringify(states())).not.toContain('hunter2');
  });
});

describe('the flight recorder', () => {
  it('computes rates between two readings, and leaves out what was not read', () => {
    const { flightRecorder } = tell();
    flightRecorder.record('c-0', usage(0));
    flightRecorder.record('c-0', usage(1));
    const { vitals } = flightRecorder.read('c-0');
    expect(vitals[0]).toEqual({ at: START, memoryWorkingSetBytes: 0, processes: 1 });
    expect(vitals[1]).toEqual({
      at: START + 1000,
      cpuCores: 0.5,
      memoryWorkingSetBytes: 2 ** 20,
      processes: 1,
    });
  });

  it('holds as many containers as its bound, the newest', () => {
    const { flightRecorder } = tell();
    for (let index = 0; index < 2100; index += 1) flightRecorder.record(`c-${index}`, usage(0));
    expect(flightRecorder.size).toBe(2048);
    expect(flightRecorder.read('c-0').vitals).toEqual([]);
  }, 60_000);
});
