import { describe, expect, it } from 'vitest';
import { staysMs } from '../../../../src/agent/pod/node/taint-eviction.ts';
import type { Taint } from '../../../../src/model/kubernetes.ts';

const gpu: Taint = { key: 'gpu', value: 'broken', effect: 'NoExecute' };
const disk: Taint = { key: 'disk', effect: 'NoExecute' };
const all = { operator: 'Exists' } as const;

// Source: kubernetes/pkg/controller/tainteviction/taint_eviction_test.go
describe('how long a pod stays on a node with taints', () => {
  it('for ever where none drives it out, or it bears those that do', () => {
    expect(staysMs([], [])).toBeUndefined();
    expect(staysMs([{ key: 'gpu', effect: 'NoSchedule' }], [])).toBeUndefined();
    expect(staysMs([gpu, disk], [all])).toBeUndefined();
  });

  it('not at all where it bears not all of them', () => {
    expect(staysMs([gpu], [])).toBe(0);
    expect(staysMs([gpu, disk], [{ key: 'disk', operator: 'Exists' }])).toBe(0);
    expect(staysMs([gpu], [{ key: 'gpu', value: 'fine' }])).toBe(0);
  });

  it('as long as the first of its tolerations lasts', () => {
    expect(staysMs([gpu], [{ ...all, tolerationSeconds: 30 }])).toBe(30_000);
    expect(
      staysMs(
        [gpu, disk],
        [
          { ...all, tolerationSeconds: 300 },
          { key: 'disk', ...all, tolerationSeconds: 20 },
        ],
      ),
    ).toBe(20_000);
    expect(staysMs([gpu], [{ ...all, tolerationSeconds: -1 }])).toBe(0);
  });
});
