import type { LiveFacts } from '../../../src/collector/runbooks/live-facts.ts';
import type { Life } from '../../../src/model/life.ts';
import type { Verdict } from '../../../src/model/verdict.ts';
import { CART, podView, START } from '../../agent/events/story.ts';
import { deathOf } from '../../agent/triage/death-story.ts';

export const VERDICT: Verdict = {
  cause: 'MissingConfig',
  failureMode: 'F1',
  confidence: 'certain',
  summary: 'Container cart exits with code 1 because its environment variable PAYMENT_URL is not set.',
  evidence: [
    {
      fact: 'the container was started with 1 environment variable; PAYMENT_URL is not among them',
      source: 'life-11',
      at: '2026-03-01T10:02:00.000Z',
    },
  ],
  next: [{ command: 'podvitals get deployment -o yaml shop/cart', why: 'add PAYMENT_URL under env' }],
};

/** The cart after three deaths. */
export function liveCart(): LiveFacts {
  const lives: Life[] = [0, 1, 2].map((attempt) => ({
    ...deathOf({ log: 'cart: starting\nError: missing required environment variable PAYMENT_URL' }).life,
    id: `life-${attempt}`,
    attempt,
    startedAt: START + attempt * 60_000,
    finishedAt: START + attempt * 60_000 + 1000,
    verdict: VERDICT,
  }));
  return {
    subject: { namespace: 'shop', pod: CART.name, container: 'cart' },
    pod: {
      id: 'state-11',
      at: START + 121_000,
      pod: CART,
      object: podView().object,
      verdict: VERDICT,
      deleted: false,
    },
    lives,
    events: [
      {
        id: 'event-11',
        at: START,
        pod: CART,
        type: 'Normal',
        reason: 'Started',
        message: 'Started container cart',
      },
    ],
    alerts: [
      {
        labels: [
          ['alertname', 'PodCrashLooping'],
          ['severity', 'page'],
        ],
        annotations: [['summary', 'Container cart of shop/cart-5d9c-x7 is crash looping.']],
        state: 'firing',
        value: 3,
        activeAt: START + 121_000,
      },
    ],
  };
}
