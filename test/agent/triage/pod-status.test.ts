import { describe, expect, it } from 'vitest';
import { diagnosePod } from '../../../src/agent/triage/diagnose-pod.ts';
import type { PodStatus } from '../../../src/model/kubernetes.ts';
import { podView, START } from '../events/story.ts';

const verdictOf = (status: Partial<PodStatus>) =>
  diagnosePod({
    view: podView({
      spec: { containers: [{ name: 'cart' }] },
      status: { phase: 'Pending', conditions: [], containerStatuses: [], ...status },
      view: { startup: { createdAt: START } },
    }),
    lives: [],
    events: [],
    probes: new Map(),
    now: START + 60_000,
  });
const failed = (reason: string, message: string) => verdictOf({ phase: 'Failed', reason, message });

describe('an evicted pod', () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      'EvictedMemory',
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 51Mi. Container cart was using 812Mi, request is 0, has larger consumption of memory. ',
    ],
    [
      'EvictedDisk',
      'The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 2Gi. ',
    ],
    ['EvictedDisk', 'The node was low on resource: inodes. '],
    ['EvictedDisk', 'Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. '],
    ['EvictedDisk', 'Usage of EmptyDir volume "scratch" exceeds the limit "8Mi". '],
    ['EvictedPids', 'The node was low on resource: pids. Threshold quantity: 10%, available: 412. '],
    ['EvictedMemory', 'The node had condition: [MemoryPressure]. '],
    ['EvictedDisk', 'The node had condition: [DiskPressure]. '],
  ];
  for (const [cause, message] of cases) {
    it(`is ${cause}: ${message.slice(0, 70)}`, () => {
      const verdict = failed('Evicted', message);
      expect(verdict).toMatchObject({ cause, failureMode: 'F5', confidence: 'certain' });
      expect(verdict.evidence[0]!.source).toContain('kube_pod_status_reason');
    });
  }
});

describe('a pod that no node takes', () => {
  const unscheduled = (message: string) =>
    verdictOf({
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message,
          lastProbeTime: null,
          lastTransitionTime: '2026-03-01T10:00:00Z',
        },
      ],
    });
  const cases: readonly (readonly [string, string])[] = [
    ['0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available.', 'enough cpu'],
    ['0/3 nodes are available: 3 Insufficient nvidia.com/gpu.', 'enough nvidia.com/gpu'],
    ['0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.', 'enough cpu and memory left'],
    ['0/1 nodes are available: 1 node(s) were unschedulable.', 'the node is cordoned'],
    ['0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: db}.', '{dedicated: db}'],
    ["0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.", 'node selector'],
    ["0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.", 'host port'],
    ['0/1 nodes are available: 1 Too many pods.', 'another pod'],
    [
      "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod. Its podAntiAffinity on kubernetes.io/hostname keeps it from pod shop/web-0.",
      'its podAntiAffinity keeps it from a pod that runs where it would (shop/web-0). ',
    ],
    [
      "0/3 nodes are available: 3 node(s) didn't satisfy existing pods anti-affinity rules.",
      'the podAntiAffinity of a pod that runs there keeps it away. ',
    ],
    [
      "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
      'takes the pod: no node runs a pod that its podAffinity asks for. ',
    ],
    [
      "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label). preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling. The node has no label topology.kubernetes.io/zone.",
      'takes the pod: its topology spread goes by a label that no node has (topology.kubernetes.io/zone). ',
    ],
    [
      "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints.",
      'takes the pod: its topology spread leaves no node. ',
    ],
    ['0/1 nodes are available: persistentvolumeclaim "data" not found.', '(data)'],
  ];
  for (const [message, names] of cases) {
    it(`names the constraint: ${message.slice(0, 80)}`, () => {
      const verdict = unscheduled(message);
      expect(verdict).toMatchObject({ cause: 'Unschedulable', failureMode: 'F9', confidence: 'certain' });
      expect(verdict.summary).toContain(names);
    });
  }
  it('is refused by its node', () => {
    const verdict = failed(
      'OutOfmemory',
      "Pod was rejected: Node didn't have enough resource: memory, requested: 9000, used: 10, capacity: 8000",
    );
    expect(verdict.cause).toBe('Unschedulable');
    expect(verdict.summary).toContain('enough memory');
    const parameter = failed(
      'SysctlForbidden',
      'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted',
    );
    expect(parameter.cause).toBe('Unschedulable');
    expect(parameter.summary).toContain('the node does not allow its kernel parameter (kernel.msgmax)');
    const foreign = failed(
      'PodOSNotSupported',
      "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS",
    );
    expect(foreign).toMatchObject({ cause: 'Unschedulable' });
    expect(foreign.summary).toContain('another operating system');
    expect(parameter.evidence[0]?.fact).toMatch(/^its node refused it: /);
  });
  it('is not one that failed by itself', () => {
    expect(failed('', '').cause).not.toBe('Unschedulable');
  });
});
