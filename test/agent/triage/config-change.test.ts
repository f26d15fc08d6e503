import { describe, expect, it } from 'vitest';
import type { Death } from '../../../src/agent/triage/death.ts';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import type { Life, LifeConfig } from '../../../src/model/life.ts';
import { CART, CONFIG, START } from '../events/story.ts';
import { type DeathStory, deathOf } from './death-story.ts';

const HOUR = 3_600_000;
const changesIn = (story: DeathStory) =>
  diagnoseDeath(deathOf(story)).evidence.filter(({ fact }) => fact.includes(' changed: '));
const configOf = (more: Partial<LifeConfig>): LifeConfig => ({ ...CONFIG, probesHash: 'p1', ...more });

function changedBy(config: Partial<LifeConfig>, node = CART.node) {
  const before = deathOf({
    life: { id: 'well', startedAt: START - HOUR, finishedAt: START - 1000, config: configOf({}) },
  });
  const well: Life = { ...before.life, verdict: diagnoseDeath(before) };
  return changesIn({
    earlier: [well],
    life: { attempt: 1, pod: { ...CART, node }, config: configOf(config) },
  })[0];
}

describe('since the last life that was well', () => {
  const cases: readonly (readonly [string, Partial<LifeConfig>, string])[] = [
    ['the image', { image: 'registry.example/cart:2' }, 'image '],
    ['the command', { command: ['node', 'other.js'] }, 'command'],
    ['a variable that is new', { envNames: [...CONFIG.envNames, 'REGION'] }, 'variables added: REGION'],
    ['the memory limit', { memoryLimitBytes: 64 * 2 ** 20 }, 'memory limit 128 MiB to 64 MiB'],
    ['its probes', { probesHash: 'p2' }, 'its probes'],
    ['something mounted', { configHash: 'other' }, 'the value of a setting or a mounted file'],
  ];
  for (const [what, config, words] of cases) {
    it(`changed: ${what}`, () => {
      expect(changedBy(config)?.fact).toContain(
        `since the last life that was well (59 min 59 s) changed: ${words}`,
      );
    });
  }
  it('changed: the value of a variable, by its name and never by its value', () => {
    const name = CONFIG.envNames[0]!;
    const before = deathOf({
      life: {
        id: 'well',
        startedAt: START - HOUR,
        finishedAt: START - 1000,
        config: configOf({ envHashes: { [name]: 'a' } }),
      },
    });
    const well: Life = { ...before.life, verdict: diagnoseDeath(before) };
    const config = configOf({ envHashes: { [name]: 'b' } });
    expect(changesIn({ earlier: [well], life: { attempt: 1, config } })[0]?.fact).toContain(
      `values of ${name}`,
    );
  });
  it('changed: the node', () => expect(changedBy({}, 'other-node')?.fact).toContain('other-node'));
  it('nothing changed', () => expect(changedBy({})).toBeUndefined());
});

describe('in a rollout', () => {
  const well = (config: Partial<LifeConfig>): NonNullable<Death['well']> => ({
    pod: { ...CART, name: 'cart-old', uid: 'u-old' },
    config: configOf(config),
    startedAt: START - HOUR,
  });
  it('the pod it is to replace, which is well, shows what changed', () => {
    const [change] = changesIn({
      well: well({ image: 'registry.example/cart:1' }),
      life: { config: configOf({ image: 'registry.example/cart:2' }) },
    });
    expect(change?.fact).toContain('since pod cart-old, which is well');
    expect(change?.fact).toContain('image registry.example/cart:1 to registry.example/cart:2');
    expect(change?.source).toBe('life-11');
  });
  it('says nothing where both are the same, whatever hash their own names give them', () => {
    expect(changesIn({ well: well({ configHash: 'other' }), life: { config: configOf({}) } })).toEqual([]);
  });
});
