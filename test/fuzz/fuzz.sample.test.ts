import { describe, expect, it } from 'vitest';
import { runTarget } from '../support/fuzz/run-target.ts';
import { failureOf, inputOf, shrunk, type Target } from '../support/fuzz/target.ts';
import { TARGETS } from '../support/fuzz/targets.ts';
import { freshSeed } from '../support/random.ts';

const seed = freshSeed();

describe(`hostile inputs, seed ${seed}`, () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))(
    '%s: read, or refused in words',
    async (_, target) => {
      for (let index = 0; index < 400; index += 1) {
        const input = inputOf(target, seed, index);
        const why = await failureOf(target, input);
        expect(why, `input ${index}: ${JSON.stringify(await shown(target, input, why))}`).toBeUndefined();
      }
    },
  );

  it('a target in a thread gives the same outcome for the same seed', async () => {
    const [target] = TARGETS;
    expect(await runTarget(target!, seed, 200)).toEqual({ passed: 200, failed: 0 });
  });
});

async function shown(target: Target, input: string | Uint8Array, why: string | undefined) {
  return why === undefined ? '' : shrunk(target, input, 200);
}
