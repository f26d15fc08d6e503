import type { Node, NodeCondition } from '../../../model/kubernetes.ts';
import { apiTime } from '../pod-record.ts';
import type { NodeFacts } from '../spec/field-ref.ts';
import type { NodeRecord } from './node-keeper.ts';
import type { SchedulableNode } from './placement.ts';
import type { PressureType } from './pressure.ts';

const REASONS: Readonly<Record<PressureType, readonly [under: string, none: string, words: string]>> = {
  MemoryPressure: ['KubeletHasInsufficientMemory', 'KubeletHasSufficientMemory', 'memory available'],
  DiskPressure: ['KubeletHasDiskPressure', 'KubeletHasNoDiskPressure', 'disk space'],
  PIDPressure: ['KubeletHasInsufficientPID', 'KubeletHasSufficientPID', 'PID available'],
};

/** What the machine says of itself. */
export interface HostFacts {
  readonly uid: string;
  readonly kernel: string;
  readonly osImage: string;
  readonly version: string;
  readonly runtime: string;
}

/** The node as the API would serve it. Source: kubernetes/pkg/kubelet/nodestatus/setters.go */
export function nodeObject(
  facts: NodeFacts,
  place: SchedulableNode,
  record: NodeRecord,
  host: HostFacts & {
    readonly createdAt: number;
    /** What the runtime can and cannot enforce here. */
    readonly enforcement: {
      readonly level: string;
      readonly notEnforced: readonly string[];
      readonly remedy?: string;
    };
  },
  now: number,
): Node {
  const pressures = Object.entries(record.pressures) as [
    PressureType,
    NodeRecord['pressures'][PressureType],
  ][];
  const condition = (
    type: string,
    status: boolean,
    since: number,
    reason: string,
    message: string,
  ): NodeCondition => ({
    type,
    status: status ? 'True' : 'False',
    lastHeartbeatTime: apiTime(now),
    lastTransitionTime: apiTime(since),
    reason,
    message,
  });
  const { level, notEnforced, remedy } = host.enforcement;
  const better = remedy === undefined ? '' : `; to enforce more: ${remedy}`;
  const amounts = (cpu: number, memory: number, disk: number) => ({
    cpu: Number.isInteger(cpu) ? String(cpu) : `${Math.round(cpu * 1000)}m`,
    memory: `${Math.floor(memory / 1024)}Ki`,
    'ephemeral-storage': `${Math.floor(disk / 1024)}Ki`,
    pods: String(place.allocatable.pods),
  });
  const { cpu, memory, 'ephemeral-storage': disk } = place.allocatable;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: facts.name,
      uid: host.uid,
      labels: place.labels,
      creationTimestamp: apiTime(host.createdAt),
    },
    spec: {
      ...(place.unschedulable ? { unschedulable: true } : {}),
      ...(place.taints.length === 0 ? {} : { taints: place.taints }),
    },
    status: {
      addresses: [
        { type: 'InternalIP', address: facts.ip },
        { type: 'Hostname', address: facts.name },
      ],
      capacity: amounts(facts.cpuCores, facts.memoryBytes, facts.diskBytes),
      allocatable: amounts(cpu, memory, disk),
      conditions: [
        ...pressures.map(([type, { status, since }]) => {
          const [under, none, words] = REASONS[type];
          return condition(
            type,
            status,
            since,
            status ? under : none,
            `kubelet has ${status ? 'insufficient' : 'sufficient'} ${words}`,
          );
        }),
        condition(
          'LimitsUnenforced',
          notEnforced.length > 0,
          host.createdAt,
          notEnforced.length > 0 ? 'HostCannotEnforce' : 'HostEnforces',
          notEnforced.length > 0 ? `${level}; not enforced: ${notEnforced.join(', ')}${better}` : level,
        ),
        condition('Ready', true, host.createdAt, 'KubeletReady', 'podvitals agent is running'),
      ],
      nodeInfo: {
        kernelVersion: host.kernel,
        osImage: host.osImage,
        operatingSystem: process.platform,
        architecture: place.labels['kubernetes.io/arch'] ?? process.arch,
        kubeletVersion: host.version,
        containerRuntimeVersion: host.runtime,
      },
    },
  };
}
