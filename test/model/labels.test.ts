import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareLabels,
  decodeLabels,
  encodeLabels,
  isCanonical,
  labelsKey,
  labelValue,
  toLabels,
  toRecord,
} from '../../src/model/labels.ts';

const text = fc.string({ unit: 'binary', maxLength: 300 }).filter((value) => value.isWellFormed());
const labels = fc.array(fc.tuple(text, text), { maxLength: 8 }).map(toLabels);

describe('labels', () => {
  it('are sorted by the bytes of their names, each name once, without empty values', () => {
    expect(
      toLabels([
        ['b', '2'],
        ['a', '1'],
        ['c', ''],
        ['b', '3'],
      ]),
    ).toEqual([
      ['a', '1'],
      ['b', '3'],
    ]);
    const names = toLabels([
      ['\u{1f600}', '1'],
      ['\uffff', '2'],
      ['z', '3'],
    ]).map(([name]) => name);
    expect(names).toEqual(names.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))));
  });
  it('come back from their bytes', () =>
    fc.assert(
      fc.property(labels, (value) => {
        expect(decodeLabels(encodeLabels(value))).toEqual(value);
      }),
    ));
  it('are told from all other bytes', () => {
    fc.assert(
      fc.property(labels, (value) => {
        expect(isCanonical(encodeLabels(value))).toBe(true);
      }),
    );
    // Bytes of labels with some changed, taken out or put in; few texts, so that order and repetition matter.
    const few = fc.constantFrom('', 'a', 'b', 'é', 'x'.repeat(130));
    const spelled = fc.array(fc.tuple(few, few), { maxLength: 3 }).map(encodeLabels);
    const byte = fc.constantFrom(0, 1, 2, 4, 5, 6, 10, 18, 97, 98, 128, 129, 195, 169, 255);
    const change = fc.tuple(fc.nat(40), fc.nat(1), fc.array(byte, { maxLength: 2 }));
    fc.assert(
      fc.property(spelled, fc.array(change, { maxLength: 2 }), (start, changes) => {
        const all = [...start];
        for (const [at, out, into] of changes) all.splice(at, out, ...into);
        const bytes = Uint8Array.from(all);
        const isSame = () => {
          try {
            return Buffer.compare(bytes, encodeLabels(toLabels(decodeLabels(bytes)))) === 0;
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
            return false;
          }
        };
        expect(isCanonical(bytes)).toBe(isSame());
      }),
      { numRuns: 20_000 },
    );
  });
  it('have the same key exactly when they are equal', () =>
    fc.assert(
      fc.property(labels, labels, (a, b) => {
        expect(labelsKey(a) === labelsKey(b)).toBe(compareLabels(a, b) === 0);
      }),
    ));
  it('cannot reach the prototype of objects', () => {
    const record = toRecord(
      toLabels([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]),
    );
    expect(Object.keys(record)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(record)).toBeNull();
    expect(labelValue([], 'toString')).toBe('');
  });
});
