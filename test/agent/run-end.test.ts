import { describe, expect, it } from 'vitest';
import { runEnd } from '../../src/agent/run-end.ts';
import type { KubernetesObject } from '../../src/model/kubernetes-object.ts';

const object = (kind: string, rest: object = {}) =>
  ({ kind, metadata: { name: 'cart', namespace: 'shop' }, ...rest }) as unknown as KubernetesObject;
const pod = (phase: string, owner?: string) =>
  object('Pod', {
    status: { phase },
    metadata: { name: 'cart', ...(owner === undefined ? {} : { ownerReferences: [{ kind: owner }] }) },
  });
const job = (type?: string) =>
  object('Job', { status: { conditions: type === undefined ? [] : [{ type, status: 'True' }] } });

describe('a run', () => {
  it.each([
    ['goes on while a pod does', [pod('Succeeded'), pod('Running')], undefined],
    ['has ended well when all its pods have', [pod('Succeeded'), pod('Succeeded')], true],
    ['has failed when one of them has', [pod('Succeeded'), pod('Failed')], false],
    ['goes on while a Job may make another pod', [job(), pod('Failed', 'Job')], undefined],
    [
      'has ended well with its Job, whatever became of single pods',
      [job('Complete'), pod('Failed', 'Job')],
      true,
    ],
    ['has failed with its Job', [job('Failed'), pod('Failed', 'Job')], false],
    ['never ends with a workload that does not', [object('Deployment'), pod('Failed')], undefined],
    ['has nothing to wait for in settings alone', [object('ConfigMap')], true],
  ])('%s', (_, objects, expected) => expect(runEnd(objects)).toBe(expected));
});
