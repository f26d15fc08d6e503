import { describe, expect, it } from 'vitest';
import { limitsStorage, storageExcess } from '../../../../src/agent/pod/node/local-storage.ts';
import type { PodSpec } from '../../../../src/model/kubernetes.ts';

const limited = (limits: Record<string, string>): PodSpec => ({
  containers: [{ name: 'app', resources: { limits } }],
});
const cached: PodSpec = {
  containers: [{ name: 'app' }],
  volumes: [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }],
};
const use = (volume: number, pod = 0) => ({ volume: () => volume, pod: () => pod });

// Source: kubernetes/pkg/kubelet/eviction/eviction_manager_test.go
describe('the limits of a pod on its use of the disk', () => {
  it('are of each emptyDir, and of the pod where every container has one', () => {
    expect(storageExcess(cached, use(2 ** 20))).toBeUndefined();
    expect(storageExcess(cached, use(2 ** 20 + 1))).toEqual({
      message: 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ',
      signal: 'emptydirfs.limit',
    });
    const pod = limited({ 'ephemeral-storage': '10Mi' });
    expect(storageExcess(pod, use(0, 11 * 2 ** 20))?.signal).toBe('ephemeralpodfs.limit');
    const partly = { ...pod, containers: [...pod.containers, { name: 'other' }] };
    expect(storageExcess(partly, use(0, 11 * 2 ** 20))).toBeUndefined();
  });

  it('leave volumes in memory to the kernel, and cost nothing where there are none', () => {
    const inMemory: PodSpec = {
      containers: [{ name: 'app' }],
      volumes: [{ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }],
    };
    expect(limitsStorage(inMemory)).toBe(false);
    expect(limitsStorage(cached)).toBe(true);
    expect(limitsStorage(limited({ memory: '1Gi' }))).toBe(false);
  });

  it('are not passed where nothing can be measured', () => {
    expect(storageExcess(cached, { volume: () => undefined, pod: () => undefined })).toBeUndefined();
  });
});
