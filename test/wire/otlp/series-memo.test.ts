import fc from 'fast-check';
import { PbfWriter } from 'pbf';
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../src/collector/tsdb/memory-store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { writeKeyValue } from '../../../src/wire/otlp/any-value.ts';
import { writeNanoseconds } from '../../../src/wire/otlp/protobuf.ts';
import { createOtlpReceiver } from '../../../src/wire/otlp/receiver.ts';
import { read, START } from '../../conformance/store.ts';
import { encodeForeign, type ForeignMetric } from './foreign-metrics.ts';

const STEP_MS = 1_000;

const attributes = fc.dictionary(fc.constantFrom('a', 'b', 'ab'), fc.constantFrom('', 'x', 'xy', 'é'));
const value = fc.integer({ min: 0, max: 1_000 });
const bounds = fc.constantFrom([], [1], [1, 2], [0.5, 1, 2]);
const point = fc.record({ attributes, value, noValue: fc.constantFrom(true, false, false) });
const optional = { nil: undefined };
const common = { name: fc.constantFrom('m', 'm.n', 'mn'), unit: fc.constantFrom('', 's', '1') };
const numbers = fc.record({
  ...common,
  kind: fc.constantFrom('gauge' as const, 'sum' as const),
  monotonic: fc.boolean(),
  points: fc.array(point, { minLength: 1, maxLength: 4 }),
});
const histogram = fc.record({
  ...common,
  kind: fc.constant('histogram' as const),
  points: fc.array(
    fc
      .tuple(attributes, bounds, fc.array(value, { maxLength: 4 }), value, fc.option(value, optional))
      .map(([own, le, buckets, count, sum]) => ({
        attributes: own,
        bounds: le,
        buckets,
        count,
        ...(sum !== undefined && { sum }),
      })),
    { minLength: 1, maxLength: 3 },
  ),
});
const summary = fc.record({
  ...common,
  kind: fc.constant('summary' as const),
  points: fc.array(
    fc.tuple(attributes, bounds, value, value).map(([own, quantiles, of, count]) => ({
      attributes: own,
      quantiles: quantiles.map((quantile): [number, number] => [quantile, of]),
      count,
      sum: of,
    })),
    { minLength: 1, maxLength: 3 },
  ),
});
const request = fc.record({
  metrics: fc.array(fc.oneof(numbers, histogram, summary), { minLength: 1, maxLength: 4 }),
  resource: fc.dictionary(
    fc.constantFrom('service.name', 'service.instance.id', 'host'),
    fc.constantFrom('x', 'y'),
  ),
});

/** What a store has after these requests, and what senders were told; `remembering` from one to the next or not. */
async function received(requests: readonly Uint8Array[], remembering: boolean) {
  const clock = createFakeClock(START);
  const store = createMemoryStore({ clock });
  let receiver = createOtlpReceiver({ store, clock });
  const answers: string[] = [];
  for (const body of requests) {
    if (!remembering) receiver = createOtlpReceiver({ store, clock });
    answers.push(Buffer.from(await receiver.metrics(body)).toString('hex'));
  }
  const stored = read(store, [], 0, START + 1_000 * STEP_MS);
  await store.close();
  return { answers, stored };
}

describe('what a receiver remembers of series', () => {
  it('changes nothing of what is stored and answered, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 6 }), async (all) => {
        const bodies = all.map(({ metrics, resource }, i) =>
          encodeForeign(metrics as readonly ForeignMetric[], resource, START + i * STEP_MS),
        );
        expect(await received(bodies, true)).toEqual(await received(bodies, false));
      }),
      { numRuns: 60 },
    );
  });

  it('is never another point whose attributes do not stand together', async () => {
    const scattered = (pod: string, value: number, atMs: number) => {
      const message = (into: PbfWriter, field: number, write: (w: PbfWriter) => void) =>
        into.writeMessage(field, (_, w: PbfWriter) => write(w), null);
      const writer = new PbfWriter();
      message(writer, 1, (resource) =>
        message(resource, 2, (scope) =>
          message(scope, 2, (metric) => {
            metric.writeStringField(1, 'm');
            message(metric, 5, (gauge) =>
              message(gauge, 1, (number) => {
                writeKeyValue(number, 7, 'namespace', 'shop');
                writeNanoseconds(number, 3, atMs);
                writeKeyValue(number, 7, 'pod', pod);
                number.writeDoubleField(4, value);
              }),
            );
          }),
        ),
      );
      return writer.finish();
    };
    const { stored } = await received(
      [scattered('cart', 11, START), scattered('web', 12, START), scattered('cart', 13, START + STEP_MS)],
      true,
    );
    expect(stored).toEqual({
      '__name__=m,namespace=shop,pod=cart': '11@0 13@1',
      '__name__=m,namespace=shop,pod=web': '12@0',
    });
  });
});
