import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIndexes, pendingIndexes, printIndexes } from '../../../../src/agent/pod/workload/job-index.ts';

// Source: kubernetes/pkg/controller/job/indexed_job_utils_test.go
describe('the indexes of a Job', () => {
  it('are written as ranges of three and more', () => {
    expect(printIndexes([])).toBe('');
    expect(printIndexes([0, 1])).toBe('0,1');
    expect(printIndexes([7, 3, 4, 5, 1])).toBe('1,3-5,7');
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(200)), (indexes) => {
        expect([...parseIndexes(printIndexes(indexes))]).toEqual([...indexes].sort((a, b) => a - b));
      }),
    );
  });

  it('are done from the lowest that nobody does', () => {
    expect(pendingIndexes(6, new Set([0, 2]), 2)).toEqual([1, 3]);
    expect(pendingIndexes(3, new Set([0, 1, 2]), 5)).toEqual([]);
  });
});
