import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../src/util/clock.ts';
import { createTurns } from '../../src/util/turns.ts';

describe('work in turns', () => {
  it('gives the thread up after some milliseconds, counted for all who work at the same time', async () => {
    const clock = createFakeClock();
    let ms = 0;
    const inTurns = createTurns({ ...clock, monotonic: () => ms });
    const worked: number[] = [];
    let turn = 0;
    let running = true;
    const next = () => {
      turn += 1;
      if (running) setImmediate(next);
    };
    setImmediate(next);
    function* steps(name: string, count: number) {
      for (let i = 0; i < count; i += 1) {
        if (i > 0) yield;
        ms += 3;
        worked.push(turn);
      }
      return name;
    }
    const works = Promise.all([inTurns(steps('a', 4)), inTurns(steps('b', 2)), inTurns(steps('c', 1))]);
    expect(await works).toEqual(['a', 'b', 'c']);
    running = false;
    const perTurn = Map.groupBy(worked, (one) => one);
    expect(worked).toHaveLength(7);
    expect([...perTurn.values()].map((some) => some.length)).toEqual([3, 3, 1]);
  });

  it('ends with the error of what fails', async () => {
    const inTurns = createTurns(createFakeClock());
    await expect(
      inTurns(
        (function* () {
          yield;
          throw new Error('no');
        })(),
      ),
    ).rejects.toThrow('no');
  });
});
