import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileMatcher } from '../../../src/collector/storage/label-matcher.ts';
import { createHead, type Head } from '../../../src/collector/tsdb/head.ts';
import { DEFAULT_STORE_LIMITS } from '../../../src/collector/tsdb/limits.ts';
import { encodeLabels, type Labels, labelsKey, toLabels } from '../../../src/model/labels.ts';
import type { Matcher } from '../../../src/model/matcher.ts';

// Few, so that series come back in rows that others had, and labels leave with their last series.
const labels = fc
  .record({
    __name__: fc.constantFrom('m', 'n'),
    a: fc.constantFrom('', '1', '2', '3'),
    b: fc.nat(6).map(String),
  })
  .map(toLabels);
const matchers: fc.Arbitrary<readonly Matcher[]> = fc.array(
  fc.oneof(
    fc.record({
      name: fc.constantFrom('__name__', 'a', 'b', 'c'),
      op: fc.constantFrom('=' as const, '!=' as const),
      value: fc.constantFrom('', 'm', '1', '2'),
    }),
    fc.record({
      name: fc.constantFrom('__name__', 'a', 'b', 'c'),
      op: fc.constantFrom('=~' as const, '!~' as const),
      value: fc.constantFrom('m|n', '1|2', '[1-3]', '.+', '.*', '(1|)'),
    }),
  ),
  { maxLength: 3 },
);
const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('sample' as const), labels }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('drop' as const), labels }) },
);
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: change },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constant('select' as const),
        matchers,
        after: fc.integer({ min: 1, max: 8 }),
        meanwhile: fc.array(change, { maxLength: 6 }),
      }),
    },
  ),
  { maxLength: 120 },
);

interface Held {
  readonly labels: Labels;
  readonly ref: number;
  samples: number;
}

const newHead = (): Head =>
  createHead({ limits: DEFAULT_STORE_LIMITS, seed: 3, firstRef: 1, recall: () => undefined });

const matchesAll = (one: Labels, all: readonly Matcher[]) =>
  all
    .map(compileMatcher)
    .every(({ name, matches }) => matches(one.find(([known]) => known === name)?.[1] ?? ''));

describe('series that come and go', () => {
  it('are found by their labels just while they are there, whatever row they have', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const head = newHead();
        const model = new Map<string, Held>();
        let t = 0;
        const apply = (step: { readonly does: 'sample' | 'drop'; readonly labels: Labels }) => {
          const key = labelsKey(step.labels);
          const known = model.get(key);
          if (step.does === 'drop') {
            if (known !== undefined) head.drop(head.rowOf(known.ref));
            model.delete(key);
            return;
          }
          const ref = head.reference(encodeLabels(step.labels));
          t += 1_000;
          head.apply({
            length: 1,
            refs: Float64Array.of(ref),
            t: Float64Array.of(t),
            high: Uint32Array.of(ref),
            low: Uint32Array.of(0),
          });
          if (known !== undefined) expect(ref).toBe(known.ref);
          model.set(key, { labels: step.labels, ref, samples: (known?.samples ?? 0) + 1 });
        };
        for (const step of all) {
          if (step.does !== 'select') {
            apply(step);
            continue;
          }
          const before = [...model.values()].filter((one) => matchesAll(one.labels, step.matchers));
          const selection = head.select(step.matchers.map(compileMatcher))[Symbol.iterator]();
          const found = [];
          for (let i = 0; i < step.after; i += 1) {
            const next = selection.next();
            if (next.value !== undefined) found.push(next.value);
          }
          for (const one of step.meanwhile) apply(one);
          for (let next = selection.next(); !next.done; next = selection.next())
            if (next.value !== undefined) found.push(next.value);
          const stayed = before.filter((one) => model.get(labelsKey(one.labels))?.ref === one.ref);
          const refs = found.map(({ ref }) => ref);
          expect(new Set(refs).size).toBe(refs.length);
          for (const { ref } of stayed) expect(refs).toContain(ref);
          for (const { ref, labels: own, openCount, lastHigh } of found) {
            const held = before.find((one) => one.ref === ref);
            // Nothing that came meanwhile, even where it has the row of one that was there.
            expect(held?.labels).toEqual(own);
            const now = model.get(labelsKey(own));
            expect(openCount).toBe(now !== undefined && now.ref === ref ? now.samples : 0);
            if (openCount > 0) expect(lastHigh).toBe(ref);
          }
        }
        expect(head.counts.active).toBe(model.size);
      }),
      { numRuns: 400 },
    );
  });
});
