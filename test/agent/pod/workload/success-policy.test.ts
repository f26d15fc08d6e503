import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIndexes, printIndexes } from '../../../../src/agent/pod/workload/job-index.ts';
import { metSuccessRule } from '../../../../src/agent/pod/workload/success-policy.ts';

// Source: kubernetes/pkg/controller/job/success_policy_test.go
describe('the rule by which a Job has succeeded', () => {
  type Rule = { readonly succeededIndexes?: string; readonly succeededCount?: number };
  const met = (completed: string, ...rules: readonly Rule[]) => metSuccessRule({ rules }, completed);

  it('is the first that is met', () => {
    expect(met('0,2', { succeededIndexes: '1' }, { succeededCount: 2 }, { succeededIndexes: '0' })).toBe(
      'Matched rules at index 1',
    );
  });

  it('is none while nothing has succeeded, or for no indexes at all', () => {
    expect(met('', { succeededCount: 0 }, { succeededIndexes: '0', succeededCount: 0 })).toBeUndefined();
    expect(met('0-9', { succeededIndexes: '' })).toBeUndefined();
    expect(metSuccessRule(undefined, '0')).toBeUndefined();
  });

  it('counts what counting one by one would, whatever the ranges', () => {
    const indexes = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1 });
    fc.assert(
      fc.property(indexes, indexes, fc.option(fc.integer({ min: 0, max: 31 })), (wanted, done, count) => {
        const text = printIndexes(wanted);
        const both = [...parseIndexes(text)].filter((index) => done.includes(index)).length;
        const rule = { succeededIndexes: text, ...(count === null ? {} : { succeededCount: count }) };
        expect(met(printIndexes(done), rule) !== undefined).toBe(both >= (count ?? wanted.length));
      }),
    );
  });
});
