import { describe, expect, it } from 'vitest';
import { freshSeed } from '../support/random.ts';
import { tortureStore } from '../support/torture/store-torture.ts';

// As the issue of durability asks of every change; `npm run torture` does a thousand.
const ROUNDS = 50;

describe('a collector, killed at random moments under load by all its doors', () => {
  it(`loses nothing it acknowledged, doubles nothing, and starts, ${ROUNDS} times over`, {
    timeout: 1_200_000,
  }, async () => {
    const seed = freshSeed();
    const outcome = await tortureStore({ rounds: ROUNDS, seed });
    expect(outcome.violations, `seed ${seed}, data in ${outcome.dataDir}`).toEqual([]);
    expect(outcome.kills).toBe(ROUNDS);
    expect(outcome.samples).toBeGreaterThan(ROUNDS * 10);
    expect(outcome.events).toBeGreaterThan(ROUNDS);
    expect(outcome.seen).toBeGreaterThan(0);
  });
});
