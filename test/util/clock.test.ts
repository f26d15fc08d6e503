import { describe, expect, it } from 'vitest';
import { backOffDelay } from '../../src/util/back-off.ts';
import { createFakeClock, sleep } from '../../src/util/clock.ts';

describe('the fake clock', () => {
  it('fires timers in the order they fall due, at their own time', async () => {
    const clock = createFakeClock(1_000);
    const seen: string[] = [];
    clock.setTimer(20, () => seen.push(`b@${clock.now()}`));
    clock.setTimer(10, () => seen.push(`a@${clock.now()}`));
    await clock.advance(15);
    expect(seen).toEqual(['a@1010']);
    await clock.advance(15);
    expect(seen).toEqual(['a@1010', 'b@1020']);
    expect(clock.now()).toBe(1_030);
  });
  it('fires timers that timers set, within the same advance', async () => {
    const clock = createFakeClock();
    let count = 0;
    const tick = () => {
      count += 1;
      clock.setTimer(1_000, tick);
    };
    clock.setTimer(1_000, tick);
    await clock.advance(5_000);
    expect(count).toBe(5);
  });
  it('forgets a cancelled timer', async () => {
    const clock = createFakeClock();
    let fired = false;
    const cancel = clock.setTimer(1, () => {
      fired = true;
    });
    cancel();
    await clock.advance(10);
    expect(fired).toBe(false);
    expect(clock.pending).toBe(0);
  });
  it('wakes a sleeper, or rejects it when aborted', async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    const woken = sleep(clock, 100);
    const aborted = expect(sleep(clock, 100, stop.signal)).rejects.toThrow('enough');
    stop.abort(new Error('enough'));
    await clock.advance(100);
    await woken;
    await aborted;
    expect(clock.pending).toBe(0);
  });
});

it('back-off doubles from its base to its cap', () => {
  const delays = [0, 1, 2, 3, 4, 5, 6, 100].map(
    (attempt) => backOffDelay({ baseMs: 10_000, capMs: 300_000 }, attempt) / 1000,
  );
  expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
});
