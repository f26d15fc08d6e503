import { describe, expect, it } from 'vitest';
import { place, type SchedulableNode } from '../../../../src/agent/pod/node/placement.ts';
import { podRequests } from '../../../../src/agent/pod/node/resources.ts';
import { schedule } from '../../../../src/agent/pod/node/schedule.ts';
import type { PodSpec } from '../../../../src/model/kubernetes.ts';

const GIB = 2 ** 30;
const node: SchedulableNode = {
  name: 'host',
  labels: { 'kubernetes.io/arch': 'amd64', disk: 'ssd', cores: '8' },
  allocatable: { cpu: 4, memory: 8 * GIB, 'ephemeral-storage': 100 * GIB, pods: 3 },
  unschedulable: false,
  taints: [],
};
const asks = (requests: Record<string, string>, more: Partial<PodSpec> = {}): PodSpec => ({
  containers: [{ name: 'app', resources: { requests } }],
  ...more,
});
let uids = 0;
const placed = (spec: PodSpec) => ({ uid: `pod-${++uids}`, spec, createdAt: uids, leaving: false });
const messageOf = (spec: PodSpec, on = node, others: ReturnType<typeof placed>[] = []) => {
  const placement = place(spec, on, others);
  return placement.fits ? 'fits' : placement.message;
};

// Source: kubernetes component-helpers/resource/helpers_test.go
describe('the requests of a pod', () => {
  it('are those of its containers, or of its hungriest init container, whichever is more', () => {
    const spec: PodSpec = {
      initContainers: [
        { name: 'migrate', resources: { requests: { cpu: '3' } } },
        { name: 'fetch', resources: { requests: { memory: '64Mi' } } },
      ],
      containers: [
        { name: 'app', resources: { requests: { cpu: '1', memory: '1Gi' } } },
        { name: 'proxy', resources: { limits: { cpu: '500m' } } },
      ],
    };
    expect(podRequests(spec)).toMatchObject({ cpu: 3, memory: GIB });
  });

  it('count a sidecar beside the containers, and beside the init containers after it', () => {
    const spec: PodSpec = {
      initContainers: [
        { name: 'mesh', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } },
        { name: 'migrate', resources: { requests: { cpu: '2' } } },
      ],
      containers: [{ name: 'app', resources: { requests: { cpu: '1500m' } } }],
    };
    expect(podRequests(spec).cpu).toBe(3);
  });
});

// Source: kubernetes/pkg/scheduler/framework/plugins, and what `kubectl describe pod` shows
describe('a pod on this one node', () => {
  it('fits while what it requests is free, whatever is used', () => {
    expect(messageOf(asks({ cpu: '1500m' }), node, [placed(asks({ cpu: '2500m' }))])).toBe('fits');
    expect(messageOf(asks({}), node, [placed(asks({ cpu: '4' }))])).toBe('fits');
  });

  it('is told which resource is short, and by how much', () => {
    expect(
      messageOf(asks({ cpu: '2', memory: '7Gi' }), node, [placed(asks({ cpu: '3', memory: '2Gi' }))]),
    ).toBe(
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. preemption: 0/1 nodes are available: ' +
        '1 No preemption victims found for incoming pod.' +
        " The pod requests 2 of cpu; 1 of the node's 4 is not requested yet." +
        " The pod requests 7Gi of memory; 6Gi of the node's 8Gi is not requested yet.",
    );
  });

  it('is told that making room would not help where the whole node is too small', () => {
    expect(messageOf(asks({ memory: '64Gi' }))).toContain('1 Preemption is not helpful for scheduling.');
  });

  it('waits where there are as many pods as the node takes', () => {
    const full = [placed(asks({})), placed(asks({})), placed(asks({}))];
    expect(messageOf(asks({}), node, full)).toContain('1 Too many pods');
  });

  it('must choose the node by its labels', () => {
    const wrong = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
    expect(messageOf(asks({}, { nodeSelector: { disk: 'ssd' } }))).toBe('fits');
    expect(messageOf(asks({}, { nodeSelector: { disk: 'hdd' } }))).toContain(wrong);
    const affinity = (
      operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt',
      key: string,
      values?: string[],
    ) =>
      asks(
        {},
        {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key, operator, ...(values && { values }) }] }],
              },
            },
          },
        },
      );
    expect(messageOf(affinity('In', 'disk', ['ssd', 'nvme']))).toBe('fits');
    expect(messageOf(affinity('NotIn', 'disk', ['ssd']))).toContain(wrong);
    expect(messageOf(affinity('NotIn', 'zone', ['a']))).toBe('fits');
    expect(messageOf(affinity('Exists', 'zone'))).toContain(wrong);
    expect(messageOf(affinity('DoesNotExist', 'zone'))).toBe('fits');
    expect(messageOf(affinity('Gt', 'cores', ['4']))).toBe('fits');
    expect(messageOf(affinity('Lt', 'cores', ['4']))).toContain(wrong);
    expect(messageOf(affinity('Gt', 'disk', ['4']))).toContain(wrong);
  });

  it('must bear the taints of the node', () => {
    const tainted = { ...node, taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' as const }] };
    expect(messageOf(asks({}), tainted)).toContain('1 node(s) had untolerated taint {dedicated: gpu}.');
    const bears = (toleration: object) => messageOf(asks({}, { tolerations: [toleration] }), tainted);
    expect(bears({ key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' })).toBe('fits');
    expect(bears({ key: 'dedicated', operator: 'Exists' })).toBe('fits');
    expect(bears({ operator: 'Exists' })).toBe('fits');
    expect(bears({ key: 'dedicated', value: 'cpu' })).toContain('untolerated');
    expect(bears({ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' })).toContain('untolerated');
    const soft = { ...node, taints: [{ key: 'busy', effect: 'PreferNoSchedule' as const }] };
    expect(messageOf(asks({}), soft)).toBe('fits');
  });

  it('stays away from a cordoned node', () => {
    expect(messageOf(asks({}), { ...node, unschedulable: true })).toContain('1 node(s) were unschedulable.');
  });

  it('needs its host ports to be free', () => {
    const onPort = (hostPort: number, hostIP?: string): PodSpec => ({
      containers: [{ name: 'app', ports: [{ containerPort: 80, hostPort, ...(hostIP && { hostIP }) }] }],
    });
    const clash = "1 node(s) didn't have free ports for the requested pod ports.";
    expect(messageOf(onPort(8080), node, [placed(onPort(8080))])).toContain(clash);
    expect(messageOf(onPort(8080, '127.0.0.1'), node, [placed(onPort(8080))])).toContain(clash);
    expect(messageOf(onPort(8080, '127.0.0.1'), node, [placed(onPort(8080, '127.0.0.2'))])).toBe('fits');
    expect(messageOf(onPort(8081), node, [placed(onPort(8080))])).toBe('fits');
  });
});

describe('the pods that wait for the node', () => {
  it('are bound the most important first, then the oldest, until nothing more fits', () => {
    const [old, young, important] = [
      placed(asks({ cpu: '3' })),
      placed(asks({ cpu: '3' })),
      placed(asks({ cpu: '1' }, { priority: 100 })),
    ];
    const steps = schedule([young!, old!, important!], node, []);
    expect(steps.map(({ kind, uid }) => [kind, uid])).toEqual([
      ['bind', important!.uid],
      ['bind', old!.uid],
      ['refuse', young!.uid],
    ]);
  });

  it('make the fewest and least important pods go when they are of higher priority', () => {
    const small = placed(asks({ cpu: '1' }));
    const big = placed(asks({ cpu: '3' }, { priority: 10 }));
    const wants = placed(asks({ cpu: '1' }, { priority: 1000 }));
    const [step] = schedule([wants], node, [small, big]);
    expect(step).toMatchObject({ kind: 'preempt', victims: [small.uid] });
  });

  it('make nobody go for nothing', () => {
    const equal = placed(asks({ cpu: '4' }, { priority: 1000 }));
    const [step] = schedule([placed(asks({ cpu: '1' }, { priority: 1000 }))], node, [equal]);
    expect(step).toMatchObject({ kind: 'refuse' });
    const polite = placed(asks({ cpu: '1' }, { priority: 2000, preemptionPolicy: 'Never' }));
    expect(schedule([polite], node, [equal])).toMatchObject([{ kind: 'refuse' }]);
  });

  it('keep what leaving pods free for those they leave for', () => {
    const leaving = { ...placed(asks({ cpu: '4' })), leaving: true };
    const important = placed(asks({ cpu: '4' }, { priority: 1000 }));
    const small = placed(asks({}));
    expect(schedule([small, important], node, [leaving])).toEqual([
      { kind: 'preempt', uid: important.uid, message: expect.any(String), victims: [] },
      { kind: 'refuse', uid: small.uid, message: expect.stringContaining('make room') },
    ]);
  });
});
