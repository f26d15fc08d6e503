import { describe, expect, it } from 'vitest';
import { diagnoseDeath } from '../../../src/agent/triage/diagnose-death.ts';
import { diagnosePod } from '../../../src/agent/triage/diagnose-pod.ts';
import type { Life } from '../../../src/model/life.ts';
import { CART, podView, START } from '../events/story.ts';
import { deathOf } from './death-story.ts';

/** A death of a replica at a second, after it had run for some seconds. */
function death(replica: string, at: number, ran: number, address = '10.88.0.7:5432'): Life {
  const ended = deathOf({
    log: `Error: connect ECONNREFUSED ${address}`,
    life: {
      id: `${replica}-${at}`,
      pod: { ...CART, uid: replica, name: replica, workload: 'cart', workloadType: 'deployment' },
      attempt: at,
      startedAt: START + (at - ran) * 1000,
      finishedAt: START + at * 1000,
    },
  });
  return { ...ended.life, verdict: diagnoseDeath(ended) };
}

const verdictOf = (lives: readonly Life[], siblings: readonly Life[]) =>
  diagnosePod({
    view: podView({
      spec: { containers: [{ name: 'cart' }] },
      status: {
        phase: 'Running',
        conditions: [],
        containerStatuses: [
          {
            name: 'cart',
            state: { waiting: { reason: 'CrashLoopBackOff', message: '' } },
            lastState: {},
            ready: false,
            restartCount: 2,
            image: 'host',
            imageID: '',
            started: false,
          },
        ],
      },
      view: { startup: { createdAt: START, sandboxAt: START } },
    }),
    lives,
    siblings,
    events: [],
    probes: new Map(),
    now: START + 120_000,
  });

describe('replicas that die of one dependency', () => {
  it('flap with it when they die together, again and again, after they had run', () => {
    const verdict = verdictOf(
      [death('a', 20, 15), death('a', 60, 20)],
      [death('b', 21, 16), death('b', 61, 18)],
    );
    expect(verdict).toMatchObject({ cause: 'DependencyFlapping', failureMode: 'F10', confidence: 'likely' });
    expect(verdict.summary).toContain('10.88.0.7:5432');
    expect(verdict.evidence.map(({ source }) => source)).toEqual(['a-20', 'a-60']);
  });
  it('do not where it never was there', () => {
    const deaths = [20, 22, 26].map((at) => death('a', at, 0.2));
    expect(verdictOf(deaths, [death('b', 20, 0.2), death('b', 22, 0.2)]).cause).toBe('DependencyRefused');
  });
  it('do not when they die apart, or only once, or of different things', () => {
    expect(verdictOf([death('a', 20, 15)], [death('b', 61, 18)]).cause).toBe('DependencyRefused');
    expect(verdictOf([death('a', 20, 15)], [death('b', 21, 16)]).cause).toBe('DependencyRefused');
    expect(verdictOf([death('a', 20, 15), death('a', 60, 20)], []).cause).toBe('DependencyRefused');
    const other = [death('b', 21, 16, '10.88.0.9:6379'), death('b', 61, 18, '10.88.0.9:6379')];
    expect(verdictOf([death('a', 20, 15), death('a', 60, 20)], other).cause).toBe('DependencyRefused');
  });
});
