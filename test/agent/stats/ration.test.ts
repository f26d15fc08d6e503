import { expect, it } from 'vitest';
import { createRation } from '../../../src/agent/stats/ration.ts';

it('a ration lets dear work rest in proportion to its cost, and cheap work go on', () => {
  let now = 0;
  const ration = createRation({ monotonic: () => now }, 0.01);
  const work = (ms: number) => () => {
    now += ms;
    return 'done';
  };
  expect(ration.spend(work(0))).toBe('done');
  expect(ration.spend(work(10))).toBe('done');
  now = 999;
  expect(ration.spend(work(10))).toBeUndefined();
  now = 1000;
  expect(ration.spend(work(1))).toBe('done');
  now = 1099;
  expect(ration.spend(work(1))).toBeUndefined();
  now = 1100;
  expect(ration.spend(work(1))).toBe('done');
});
