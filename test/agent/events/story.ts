import type { ContainerDied } from '../../../src/agent/events/obituary.ts';
import type { PodView } from '../../../src/agent/pod/view.ts';
import type { ContainerUsage } from '../../../src/agent/stats/usage.ts';
import type { Pod } from '../../../src/model/kubernetes.ts';
import type { PodRef } from '../../../src/model/pod-ref.ts';

export const START = Date.UTC(2026, 2, 1, 10);

export const CART: PodRef = {
  namespace: 'shop',
  name: 'cart-5d9c-x7',
  uid: '7b0c',
  node: 'node-11',
  workload: 'cart',
  workloadType: 'deployment',
};

export const CONFIG = {
  image: 'host',
  command: ['node', 'cart.mjs'],
  envNames: ['CURRENCY'],
  configHash: 'c0ffee',
  memoryLimitBytes: 128 * 2 ** 20,
};

/** The cart, of one container, waiting in CrashLoopBackOff unless told otherwise. */
export function podView(
  more: {
    readonly status?: Partial<Pod['status']>;
    readonly spec?: Partial<Pod['spec']>;
    readonly view?: Partial<PodView>;
  } = {},
): PodView {
  return {
    ref: CART,
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: CART.name,
        namespace: CART.namespace,
        uid: CART.uid,
        creationTimestamp: '2026-03-01T10:00:00Z',
      },
      spec: { containers: [{ name: 'cart' }], restartPolicy: 'Always', ...more.spec },
      status: {
        phase: 'Running',
        qosClass: 'Burstable',
        conditions: [
          { type: 'Ready', status: 'False', lastProbeTime: null, lastTransitionTime: '2026-03-01T10:00:00Z' },
        ],
        containerStatuses: [
          {
            name: 'cart',
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: {},
            ready: false,
            restartCount: 1,
            image: 'host',
            imageID: 'host',
            started: false,
          },
        ],
        ...more.status,
      },
    },
    containers: [
      {
        name: 'cart',
        init: false,
        attempt: 0,
        config: CONFIG,
        deaths: {},
        requestedDeaths: {},
        crashLoops: 0,
        oomKills: 0,
        backOffMs: 0,
        probes: {},
      },
    ],
    startup: { createdAt: START, scheduledAt: START, sandboxAt: START + 10, startedAt: START + 20 },
    ...more.view,
  };
}

/** The cart's container exits with 1 after a second, unless told otherwise. */
export function died(more: Partial<ContainerDied> = {}): ContainerDied {
  const attempt = more.attempt ?? 0;
  return {
    kind: 'container-died',
    at: START + 1000,
    pod: CART,
    container: 'cart',
    init: false,
    attempt,
    containerId: `c-${attempt}`,
    config: CONFIG,
    cgroup: {},
    startedAt: (more.finishedAt ?? START + 1000) - 1000,
    finishedAt: START + 1000,
    exitCode: 1,
    oomKills: 0,
    reason: 'Error',
    killRequest: null,
    unrequested: true,
    ...more,
  };
}

/** Half a core, and a MiB more each second. */
export const usage = (second: number): ContainerUsage => ({
  at: START + second * 1000,
  cpu: { usageSeconds: second / 2 },
  memory: { usageBytes: second * 2 ** 20, workingSetBytes: second * 2 ** 20 },
  processes: 1,
});
