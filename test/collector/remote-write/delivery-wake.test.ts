import { expect, it } from 'vitest';
import { createDeliveryWake } from '../../../src/collector/remote-write/delivery-wake.ts';
import { createFakeClock } from '../../../src/util/clock.ts';

it('wakes rules when samples from outside are delivered, and once more later, but not for what rules wrote', async () => {
  const clock = createFakeClock();
  const start = clock.now();
  const woken: string[] = [];
  const wake = createDeliveryWake({
    clock,
    wake: (names) => woken.push(`${[...names].sort().join()}@${clock.now() - start}`),
  });
  wake.committed(new Set(['up', 'deaths_total']));
  expect(woken).toEqual([]);
  wake.delivered(new Set(['up', 'slo:errors:ratio']));
  await clock.advance(500);
  wake.delivered(new Set(['deaths_total']));
  wake.delivered(new Set(['slo:errors:ratio', 'ALERTS']));
  await clock.advance(10_000);
  expect(woken).toEqual(['up@0', 'deaths_total@500', 'deaths_total,up@2000']);
});
