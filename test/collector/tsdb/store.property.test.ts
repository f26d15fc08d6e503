import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore, type Tsdb } from '../../../src/collector/tsdb/store.ts';
import { createFakeClock } from '../../../src/util/clock.ts';
import { bytesOf, read, START } from '../../conformance/store.ts';

const WINDOW = 600_000;
const HOUR = 3_600_000;
const SERIES = 4;

type Command =
  | {
      readonly kind: 'append';
      readonly samples: readonly (readonly [series: number, t: number, v: number])[];
    }
  | { readonly kind: 'maintain' }
  | { readonly kind: 'reopen' };

/** What a store should hold, kept the simplest way there is. */
function createModel() {
  const series = Array.from({ length: SERIES }, () => ({
    samples: new Map<number, number>(),
    last: -Infinity,
    frozen: -Infinity,
  }));
  return {
    series,
    append(samples: readonly (readonly [number, number, number])[]) {
      const outcome = { samples: 0, rejected: 0 };
      for (const [index, t, v] of samples) {
        const one = series[index]!;
        const isNew = t > one.last || (t > one.frozen && t >= one.last - WINDOW && !one.samples.has(t));
        const isDuplicate = !isNew && t > one.frozen && t >= one.last - WINDOW && one.samples.get(t) === v;
        if (isNew) {
          one.samples.set(t, v);
          one.last = Math.max(one.last, t);
          outcome.samples += 1;
        } else if (!isDuplicate) outcome.rejected += 1;
      }
      return outcome;
    },
    /** A series silent for an hour goes to disk as a whole. */
    maintain() {
      const newest = Math.max(...series.map((one) => one.last));
      for (const one of series) if (newest - one.last >= HOUR) one.frozen = one.last;
    },
    contents() {
      const found: Record<string, string> = {};
      series.forEach(({ samples }, index) => {
        if (samples.size === 0) return;
        const sorted = [...samples].sort(([a], [b]) => a - b);
        found[`__name__=m,series=${index}`] = sorted.map(([t, v]) => `${v}@${(t - START) / 1000}`).join(' ');
      });
      return found;
    },
  };
}

const append = fc
  .record({
    // Most batches follow the one before; some come late, some leave a gap of hours.
    step: fc.oneof(
      { arbitrary: fc.constantFrom(1, 30, 120), weight: 8 },
      { arbitrary: fc.constantFrom(-400, -900, 4000), weight: 2 },
    ),
    samples: fc.array(fc.tuple(fc.nat(SERIES - 1), fc.nat(300), fc.nat(3)), { minLength: 1, maxLength: 150 }),
  })
  .map(({ step, samples }) => ({ kind: 'append' as const, step, samples }));
const command = fc.oneof(
  { arbitrary: append, weight: 8 },
  { arbitrary: fc.constant({ kind: 'maintain' as const }), weight: 4 },
  { arbitrary: fc.constant({ kind: 'reopen' as const }), weight: 1 },
);

describe('durable store', () => {
  it('holds what a naive model holds, through maintenance and reopening', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (drawn) => {
        const folder = mkdtempSync(join(tmpdir(), 'podvitals-property-'));
        const clock = createFakeClock(START);
        const options = {
          path: join(folder, 'collector.db'),
          clock,
          retention: { timeMs: 400 * HOUR, bytes: 2 ** 30 },
        };
        let store: Tsdb = createStore(options);
        const model = createModel();
        let base = START - 200 * HOUR;
        try {
          for (const one of toCommands(
            drawn,
            () => base,
            (next) => (base = next),
          )) {
            if (one.kind === 'append') {
              const appender = store.appender();
              for (const [index, t, v] of one.samples)
                appender.append(appender.reference(bytesOf({ __name__: 'm', series: String(index) })), t, v);
              const { samples, rejected } = await appender.commit();
              expect({ samples, rejected }).toEqual(model.append(one.samples));
            } else if (one.kind === 'maintain') {
              await store.maintain();
              model.maintain();
            } else {
              await store.close();
              store = createStore(options);
            }
            expect(read(store, [{ name: '__name__', op: '=', value: 'm' }], 0, START * 2)).toEqual(
              model.contents(),
            );
          }
        } finally {
          await store.close();
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: 60 },
    );
  });
});

type Drawn =
  | { kind: 'maintain' }
  | { kind: 'reopen' }
  | { kind: 'append'; step: number; samples: [number, number, number][] };

function* toCommands(
  drawn: readonly Drawn[],
  base: () => number,
  setBase: (base: number) => void,
): Iterable<Command> {
  for (const one of drawn) {
    if (one.kind !== 'append') yield one;
    else {
      const from = base() + one.step * 1000;
      setBase(Math.max(base(), from));
      yield {
        kind: 'append',
        samples: one.samples.map(([index, offset, v]) => [index, from + offset * 1000, v] as const),
      };
    }
  }
}
