import type { ContainerView, PodView, WorkloadView } from '../../../src/agent/pod/view.ts';
import { STARTUP_BOUNDS } from '../../../src/agent/pod/workload/workload-counters.ts';
import type { AgentFacts } from '../../../src/agent/signals/node.ts';
import type { ContainerUsage, NodeUsage, PodUsage } from '../../../src/agent/stats/usage.ts';
import type { ContainerStatus, Node, Pod } from '../../../src/model/kubernetes.ts';
import type { ReplicaSet } from '../../../src/model/kubernetes-workload.ts';

const CREATED = Date.UTC(2026, 0, 1, 12);

const config = {
  image: 'registry.test/cart:1.4',
  command: ['node', 'cart.mjs'],
  envNames: [],
  configHash: 'c11',
  memoryLimitBytes: 64 * 2 ** 20,
  cpuLimitCores: 0.2,
};

export const cgroup = {
  cpu: '/sys/fs/cgroup/cpu/podvitals/pod-u11/cart-3',
  memory: '/sys/fs/cgroup/memory/podvitals/pod-u11/cart-3',
  unified: '/sys/fs/cgroup/unified/podvitals/pod-u11/cart-3',
};

export const cart: ContainerView = {
  name: 'cart',
  init: false,
  attempt: 3,
  running: { id: 'u11-cart-3', pid: 1113, startedAt: CREATED + 60_000, cgroup },
  config,
  deaths: { Error: 2, OOMKilled: 1 },
  requestedDeaths: {},
  crashLoops: 2,
  oomKills: 1,
  backOffMs: 30_000,
  probes: { liveness: { succeeded: 12, failed: 1 } },
};

export const migrate: ContainerView = {
  name: 'migrate',
  init: true,
  attempt: 0,
  config,
  deaths: { Completed: 1 },
  requestedDeaths: {},
  crashLoops: 0,
  oomKills: 0,
  backOffMs: 0,
  probes: {},
};

export const cartStatus: ContainerStatus = {
  name: 'cart',
  state: { running: { startedAt: '2026-01-01T12:01:00Z' } },
  lastState: {
    terminated: {
      exitCode: 137,
      signal: 9,
      reason: 'OOMKilled',
      startedAt: '2026-01-01T12:00:11Z',
      finishedAt: '2026-01-01T12:00:50Z',
      containerID: 'podvitals://u11-cart-2',
    },
  },
  ready: true,
  restartCount: 3,
  image: 'registry.test/cart:1.4',
  imageID: 'sha256:11',
  containerID: 'podvitals://u11-cart-3',
  started: true,
};

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'cart-6d5f-x7k2p',
    namespace: 'shop',
    uid: 'u11',
    labels: { team: 'checkout', 'app.kubernetes.io/part-of': 'shop', 'pod-template-hash': '6d5f' },
    creationTimestamp: '2026-01-01T12:00:00Z',
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart-6d5f', uid: 'r11', controller: true },
    ],
  },
  spec: {
    nodeName: 'node-11',
    restartPolicy: 'Always',
    initContainers: [{ name: 'migrate', image: 'registry.test/cart:1.4' }],
    containers: [
      {
        name: 'cart',
        image: 'registry.test/cart:1.4',
        resources: { limits: { cpu: '200m', memory: '64Mi' }, requests: { cpu: '100m' } },
      },
    ],
  },
  status: {
    phase: 'Running',
    conditions: [
      condition('PodScheduled', 'True', '2026-01-01T12:00:01Z'),
      condition('Initialized', 'True', '2026-01-01T12:00:05Z'),
      condition('ContainersReady', 'True', '2026-01-01T12:01:02Z'),
      condition('Ready', 'True', '2026-01-01T12:01:02Z'),
    ],
    hostIP: '10.11.0.1',
    podIP: '10.88.0.11',
    startTime: '2026-01-01T12:00:01Z',
    initContainerStatuses: [
      {
        ...cartStatus,
        name: 'migrate',
        state: {
          terminated: {
            exitCode: 0,
            reason: 'Completed',
            startedAt: '2026-01-01T12:00:02Z',
            finishedAt: '2026-01-01T12:00:04Z',
            containerID: 'podvitals://u11-migrate-0',
          },
        },
        lastState: {},
        restartCount: 0,
        containerID: 'podvitals://u11-migrate-0',
      },
    ],
    containerStatuses: [cartStatus],
    qosClass: 'Burstable',
  },
};

export function condition(
  type: string,
  status: 'True' | 'False' | 'Unknown',
  since: string,
  reason?: string,
) {
  return { type, status, lastProbeTime: null, lastTransitionTime: since, ...(reason && { reason }) };
}

export const cartPod: PodView = {
  ref: {
    namespace: 'shop',
    name: 'cart-6d5f-x7k2p',
    uid: 'u11',
    node: 'node-11',
    workload: 'cart',
    workloadType: 'deployment',
  },
  object: pod,
  containers: [migrate, cart],
  sandbox: { pid: 1111, cgroup: { unified: '/sys/fs/cgroup/unified/podvitals/pod-u11' } },
  startup: {
    createdAt: CREATED,
    scheduledAt: CREATED + 1_000,
    sandboxAt: CREATED + 1_500,
    pulledAt: CREATED + 2_000,
    initializedAt: CREATED + 5_000,
    startedAt: CREATED + 5_500,
    readyAt: CREATED + 12_000,
  },
};

/** A pod with changes to its object's metadata, spec and status. */
export function changed(
  view: PodView,
  change: {
    readonly metadata?: Partial<Pod['metadata']>;
    readonly spec?: Partial<Pod['spec']>;
    readonly status?: Partial<Pod['status']>;
    readonly containers?: readonly ContainerView[];
  },
): PodView {
  const { metadata, spec, status } = view.object;
  return {
    ...view,
    containers: change.containers ?? view.containers,
    object: {
      ...view.object,
      metadata: { ...metadata, ...change.metadata },
      spec: { ...spec, ...change.spec },
      status: { ...status, ...change.status },
    },
  };
}

export const cartUsage: ContainerUsage = {
  at: CREATED + 90_500,
  cpu: { usageSeconds: 11.5, userSeconds: 9, systemSeconds: 2.5 },
  throttling: { periods: 300, throttledPeriods: 30, throttledSeconds: 1.25 },
  memory: {
    usageBytes: 50_000_000,
    workingSetBytes: 44_000_000,
    rssBytes: 40_000_000,
    cacheBytes: 6_000_000,
    swapBytes: 0,
    pageFaults: 1200,
    majorPageFaults: 12,
  },
  oomKills: 1,
  devices: [{ device: '/dev/vda', readBytes: 4096, writeBytes: 8192, reads: 1, writes: 2 }],
  processes: 2,
  threads: 13,
  openDescriptors: 24,
  openSockets: 3,
  pressure: { io: { someSeconds: 1.5, fullSeconds: 0.5 } },
};

export const cartPodUsage: PodUsage = {
  at: CREATED + 90_500,
  cpuUsageSeconds: 12,
  memoryUsageBytes: 51_000_000,
  memoryWorkingSetBytes: 45_000_000,
  interfaces: [
    {
      name: 'eth0',
      receiveBytes: 1100,
      receivePackets: 11,
      receiveErrors: 0,
      receiveDropped: 2,
      transmitBytes: 1300,
      transmitPackets: 13,
      transmitErrors: 0,
      transmitDropped: 1,
    },
  ],
  tcp: { failedConnects: 4, resets: 5, retransmitTimeouts: 6, retransmittedSegments: 7 },
  listening: [
    { address: '0.0.0.0', port: 8080 },
    { address: '::', port: 8080 },
  ],
};

export const cartWorkload: WorkloadView = {
  namespace: 'shop',
  name: 'cart',
  type: 'deployment',
  node: 'node-11',
  desired: 1,
  ready: 1,
  desiredPodSeconds: 90,
  readyPodSeconds: 28,
  podSeconds: 90,
  restarts: 3,
  initRestarts: 0,
  crashLoops: 2,
  startup: {
    bounds: STARTUP_BOUNDS,
    counts: [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    sum: 12,
    count: 1,
  },
  starts: { judged: 1, slow: 0 },
  object: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'cart',
      namespace: 'shop',
      uid: 'd11',
      creationTimestamp: '2026-01-01T12:00:00Z',
      generation: 2,
    },
    spec: { replicas: 1, selector: { matchLabels: { app: 'cart' } }, template: { spec: { containers: [] } } },
    status: {
      observedGeneration: 2,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
      unavailableReplicas: 0,
    },
  },
  service: 'cart',
  podLabels: {},
};

export const cartReplicaSet: ReplicaSet = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name: 'cart-6d5f',
    namespace: 'shop',
    uid: 'r11',
    creationTimestamp: '2026-01-01T12:00:00Z',
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart', uid: 'd11', controller: true },
    ],
  },
  spec: { replicas: 1, selector: { matchLabels: { app: 'cart' } }, template: { spec: { containers: [] } } },
  status: {
    observedGeneration: 1,
    replicas: 1,
    fullyLabeledReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
  },
};

export const nodeUsage: NodeUsage = {
  at: CREATED + 90_500,
  cpuSecondsByMode: { user: 100, nice: 1, system: 50, idle: 1000, iowait: 9, softirq: 2, guest: 40 },
  memory: {
    totalBytes: 8_000_000_000,
    availableBytes: 6_000_000_000,
    freeBytes: 5_000_000_000,
    cachedBytes: 1,
    buffersBytes: 1,
    slabBytes: 1,
  },
  cores: 2,
};

export const agentFacts: AgentFacts = {
  node: 'node-11',
  version: '0.1.0',
  level: 'root, cgroup v1 and v2',
  startedAt: CREATED - 1000,
  cpuSeconds: 1.5,
  memoryBytes: 90_000_000,
  dropped: { events: 0 },
};

export const usages = {
  containers: new Map([['u11-cart-3', cartUsage]]),
  pods: new Map([['u11', cartPodUsage]]),
};

export const nodeObject: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-11', uid: 'node-11', creationTimestamp: '2026-11-21T08:00:00Z' },
  spec: { unschedulable: true, taints: [{ key: 'dedicated', value: 'shop', effect: 'NoSchedule' }] },
  status: {
    addresses: [{ type: 'InternalIP', address: '192.0.2.11' }],
    capacity: { cpu: '4', memory: '8388608Ki' },
    allocatable: { cpu: '3500m', memory: '8286208Ki' },
    conditions: [
      {
        type: 'MemoryPressure',
        status: 'True',
        lastHeartbeatTime: '2026-11-21T08:00:10Z',
        lastTransitionTime: '2026-11-21T08:00:10Z',
        reason: 'KubeletHasInsufficientMemory',
        message: 'kubelet has insufficient memory available',
      },
    ],
    nodeInfo: {
      kernelVersion: '6.18.0',
      osImage: 'Debian GNU/Linux 12 (bookworm)',
      operatingSystem: 'linux',
      architecture: 'amd64',
      kubeletVersion: 'podvitals 0.1.0',
      containerRuntimeVersion: 'process',
    },
  },
};
