import { describe, expect, it } from 'vitest';
import { createFlightRecorder } from '../../../src/agent/events/flight-recorder.ts';
import { createNetworkLives } from '../../../src/agent/events/network-lives.ts';

const life = (attempt: number, container = 'cart') => ({
  pod: { uid: 'u1' },
  container,
  attempt,
  containerId: `${container}-${attempt}`,
});

describe('what went wrong in the network of a pod', () => {
  it('belongs to the life it happened in, also when that was over before it was looked at', () => {
    let failedConnects = 0;
    const recorder = createFlightRecorder();
    const lives = createNetworkLives(() => ({ failedConnects, retransmitTimeouts: 0 }), recorder);
    failedConnects = 2; // before anybody looked
    lives.started(life(0));
    lives.died(life(0));
    failedConnects = 3;
    lives.started(life(1));
    lives.died(life(1));
    lives.started(life(2));
    lives.died(life(2));
    const counted = [0, 1, 2].map((attempt) => recorder.take(`cart-${attempt}`).network?.failedConnects);
    expect(counted).toEqual([2, 1, 0]);
  });

  it('counts from the first look where the beginning is not known, and is absent where nothing can be read', () => {
    const recorder = createFlightRecorder();
    const lives = createNetworkLives(() => ({ failedConnects: 9, retransmitTimeouts: 4 }), recorder);
    lives.started(life(3));
    lives.died(life(3));
    expect(recorder.take('cart-3').network).toEqual({ failedConnects: 0, retransmitTimeouts: 0 });
    const blind = createNetworkLives(() => undefined, recorder);
    blind.started(life(4));
    blind.died(life(4));
    expect(recorder.take('cart-4').network).toBeUndefined();
  });
});
