import { describe, expect, it } from 'vitest';
import { createWorkloadEvents } from '../../../src/agent/events/workload-events.ts';
import {
  normal,
  replicaSetScaled,
  type WorkloadEvent,
  warning,
} from '../../../src/agent/pod/workload/workload-event.ts';
import type { PodEvent } from '../../../src/model/event.ts';
import { createFakeClock } from '../../../src/util/clock.ts';

const about = (uid: string, at: number, message: string): WorkloadEvent => ({
  at,
  kind: 'ReplicaSet',
  namespace: 'shop',
  name: 'web-5d8',
  uid,
  workload: 'web',
  workloadType: 'deployment',
  ...normal('SuccessfulCreate', message),
});

describe("controllers' words as events", () => {
  it('are about the object, and no pod', () => {
    const told: PodEvent[] = [];
    const events = createWorkloadEvents('node-11', createFakeClock(), (event) => told.push(event));
    events.tell(about('rs-1', 1000, 'Created pod: web-5d8-x7'));
    expect(told).toMatchObject([
      {
        at: 1000,
        pod: { namespace: 'shop', name: '', uid: 'rs-1', node: 'node-11', workload: 'web' },
        object: { kind: 'ReplicaSet', name: 'web-5d8' },
        reason: 'SuccessfulCreate',
        message: 'Created pod: web-5d8-x7',
      },
    ]);
  });

  it('tell each step of a rollout, and a refusal that is repeated once more at the end of the minute', async () => {
    const told: PodEvent[] = [];
    const clock = createFakeClock();
    const events = createWorkloadEvents('node-11', clock, (event) => told.push(event));
    for (const [before, after] of [
      [0, 1],
      [1, 2],
    ] as const)
      events.tell({ ...about('web', clock.now(), ''), ...replicaSetScaled('web-5d8', before, after)! });
    for (let times = 0; times < 5; times += 1)
      events.tell({ ...about('rs-1', clock.now(), ''), ...warning('FailedCreate', 'Error creating: no') });
    await clock.advance(61_000);
    expect(told.map(({ message, details }) => [message, details?.count])).toEqual([
      ['Scaled up replica set web-5d8 from 0 to 1', undefined],
      ['Scaled up replica set web-5d8 from 1 to 2', undefined],
      ['Error creating: no', undefined],
      ['Error creating: no (x4 within the last minute)', 4],
    ]);
  });

  it('come to so many a minute and object and no more, and what is not told is counted', () => {
    const told: PodEvent[] = [];
    const clock = createFakeClock();
    const events = createWorkloadEvents('node-11', clock, (event) => told.push(event));
    const letters = (n: number) => [...String(n)].map((digit) => 'bcdfghjklm'[Number(digit)]).join('');
    for (let n = 0; n < 500; n += 1)
      events.tell(about('rs-1', clock.now(), `Created pod: web-${letters(n)}`));
    events.tell(about('rs-2', clock.now(), 'Created pod: web-z'));
    expect(told.filter(({ pod }) => pod.uid === 'rs-1').length).toBe(60);
    expect(told.filter(({ pod }) => pod.uid === 'rs-2').length).toBe(1);
    expect(events.dropped).toBe(440);
  });

  it('of more objects than are kept in mind, none is lost', () => {
    const told: PodEvent[] = [];
    const events = createWorkloadEvents('node-11', createFakeClock(), (event) => told.push(event));
    for (let n = 0; n < 1000; n += 1) events.tell(about(`rs-${n}`, 1000, 'Created pod: a'));
    events.flush();
    expect(new Set(told.map(({ id }) => id)).size).toBe(1000);
  });
});
