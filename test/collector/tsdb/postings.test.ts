import { describe, expect, it } from 'vitest';
import { compileMatcher } from '../../../src/collector/storage/label-matcher.ts';
import { createHead } from '../../../src/collector/tsdb/head.ts';
import { DEFAULT_STORE_LIMITS } from '../../../src/collector/tsdb/limits.ts';
import { bytesOf } from '../../conformance/store.ts';

const SERIES = 20_000;
const MATCHERS = [compileMatcher({ name: '__name__', op: '=', value: 'm' })];

describe('a label that very many series have', () => {
  const head = createHead({ limits: DEFAULT_STORE_LIMITS, seed: 3, firstRef: 1, recall: () => undefined });
  const add = (pod: string) => {
    const ref = head.reference(bytesOf({ __name__: 'm', pod }));
    const one = {
      refs: Float64Array.of(ref),
      t: Float64Array.of(1),
      high: new Uint32Array(1),
      low: new Uint32Array(1),
    };
    head.apply({ length: 1, ...one });
    return ref;
  };
  const found = () => {
    const pods: string[] = [];
    for (const series of head.select(MATCHERS)) if (series !== undefined) pods.push(series.labels[1]![1]);
    return pods;
  };
  const pod = (i: number) => `p${i}`;
  const all = Array.from({ length: SERIES }, (_, i) => i);

  it('finds each of them once, whoever leaves, comes, and looks meanwhile', () => {
    const refs = all.map((i) => add(pod(i)));
    expect(found()).toEqual(all.map(pod));

    const looking = head.select(MATCHERS)[Symbol.iterator]();
    const seen: string[] = [];
    const look = (most: number) => {
      for (let step = looking.next(); !step.done; step = looking.next()) {
        if (step.value !== undefined) seen.push(step.value.labels[1]![1]);
        if (seen.length === most) return;
      }
    };
    look(5_000);
    // Three of four leave, and others come in their rows.
    const stay = (i: number) => i % 4 === 0;
    for (const i of all) if (!stay(i)) head.drop(head.rowOf(refs[i]!));
    const later = Array.from({ length: 9_000 }, (_, i) => `later${i}`);
    for (const one of later) add(one);
    look(Number.POSITIVE_INFINITY);
    expect(seen).toEqual(all.filter((i) => i < 5_000 || stay(i)).map(pod));
    expect(found()).toEqual([...all.filter(stay).map(pod), ...later]);
    expect(head.columns.length).toBeLessThan(SERIES + later.length);

    for (const row of [...head.rows()]) head.drop(row);
    expect(found()).toEqual([]);
    add('p1');
    expect(found()).toEqual(['p1']);
  });
});
