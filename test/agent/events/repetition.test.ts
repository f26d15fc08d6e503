import { expect, it } from 'vitest';
import { createRepetition } from '../../../src/agent/events/repetition.ts';
import type { PodEvent } from '../../../src/model/event.ts';
import { createFakeClock } from '../../../src/util/clock.ts';

const event = (reason: string, message: string): PodEvent => ({
  id: `${reason} ${message}`,
  at: 0,
  pod: {
    namespace: 'shop',
    name: '',
    uid: '1',
    node: 'node-11',
    workload: 'db',
    workloadType: 'statefulset',
  },
  type: 'Normal',
  reason,
  message,
});

it('counts what repeats within a minute, but tells each pod that a controller makes or ends', async () => {
  const clock = createFakeClock();
  const told: string[] = [];
  const repetition = createRepetition(clock, ({ reason, message, details }) =>
    told.push(`${reason} ${message} ${details?.count ?? 1}`),
  );
  for (const index of [0, 1, 2]) {
    repetition.tell(event('SuccessfulCreate', `create Pod db-${index} in StatefulSet db successful`));
    repetition.tell(event('Unhealthy', `probe failed: code ${index}`));
  }
  await clock.advance(61_000);
  expect(told).toEqual([
    'SuccessfulCreate create Pod db-0 in StatefulSet db successful 1',
    'Unhealthy probe failed: code 0 1',
    'SuccessfulCreate create Pod db-1 in StatefulSet db successful 1',
    'SuccessfulCreate create Pod db-2 in StatefulSet db successful 1',
    'Unhealthy probe failed: code 2 (x2 within the last minute) 2',
  ]);
});
