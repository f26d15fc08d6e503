import type { PodEvent } from '../../src/model/event.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../src/model/kubernetes.ts';
import type { Life, LogLine, ProbeResult, VitalFrame } from '../../src/model/life.ts';
import type { PodRef } from '../../src/model/pod-ref.ts';
import type { AgentRecord } from '../../src/model/record.ts';
import type { Verdict } from '../../src/model/verdict.ts';

const MIB = 2 ** 20;
const NODE = 'thinkpad';

export const HEALTHY: Verdict = {
  cause: 'None',
  failureMode: null,
  confidence: 'certain',
  summary: 'All containers run and are ready.',
  evidence: [],
  next: [],
};

export interface PodStory {
  readonly namespace?: string;
  readonly name: string;
  readonly workload: string;
  readonly workloadType?: PodRef['workloadType'];
  readonly labels?: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
  readonly ready?: boolean;
  readonly restarts?: number;
  readonly memoryLimit?: string;
  readonly verdict?: Verdict;
  readonly deleted?: boolean;
  readonly at?: number;
}

/** The record of one pod with one container named like its workload. */
export function podRecord(story: PodStory): Extract<AgentRecord, { kind: 'pod' }> {
  const { name, workload, createdAt, ready = false, deleted = false } = story;
  const pod = podRef(story);
  const at = story.at ?? createdAt;
  const status: ContainerStatus = {
    name: workload,
    state: story.state,
    lastState: story.lastState ?? {},
    ready,
    restartCount: story.restarts ?? 0,
    image: 'host',
    imageID: 'host',
    started: story.state.running !== undefined,
  };
  const condition = (type: string, holds: boolean) => ({
    type,
    status: holds ? ('True' as const) : ('False' as const),
    lastProbeTime: null,
    lastTransitionTime: rfc3339(createdAt),
  });
  const object: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: pod.namespace,
      uid: pod.uid,
      labels: { 'app.kubernetes.io/name': workload, ...story.labels },
      creationTimestamp: rfc3339(createdAt),
    },
    spec: {
      nodeName: NODE,
      restartPolicy: 'Always',
      containers: [
        {
          name: workload,
          image: 'host',
          command: ['node', `shop/${workload}.mjs`],
          resources: { limits: { cpu: '500m', memory: story.memoryLimit ?? '128Mi' } },
        },
      ],
    },
    status: {
      phase: 'Running',
      conditions: [
        condition('PodScheduled', true),
        condition('Initialized', true),
        condition('ContainersReady', ready),
        condition('Ready', ready),
      ],
      hostIP: '192.168.1.20',
      podIP: '10.88.0.7',
      startTime: rfc3339(createdAt),
      containerStatuses: [status],
      qosClass: 'Burstable',
    },
  };
  const verdict = story.verdict ?? HEALTHY;
  return { kind: 'pod', state: { id: `${pod.uid}-${at}-${deleted}`, at, pod, object, verdict, deleted } };
}

export function podRef({
  namespace = 'shop',
  name,
  workload,
  workloadType = 'deployment',
}: PodStory): PodRef {
  return { namespace, name, uid: `uid-of-${namespace}-${name}`, node: NODE, workload, workloadType };
}

export function eventRecord(
  pod: PodRef,
  at: number,
  reason: string,
  message: string,
  more: Partial<PodEvent> = {},
): Extract<AgentRecord, { kind: 'event' }> {
  const type = /Died|OOMKill|BackOff|Unhealthy|NotReady|Failed/.test(reason) ? 'Warning' : 'Normal';
  const id = `${pod.uid}:${reason}:${at}`;
  return { kind: 'event', event: { id, at, pod, container: pod.workload, type, reason, message, ...more } };
}

export const rfc3339 = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;

/**
 * What the agent records of examples/shop.yaml in its first minutes: web is healthy, cart crashes for want of a
 * setting, worker is OOM killed, search is slow to become ready; an old cart pod was deleted.
 */
export function shopRecords(now: number): readonly AgentRecord[] {
  const startedAt = now - 16 * 60_000;
  return [
    {
      kind: 'node',
      state: {
        id: 'node-1',
        at: startedAt,
        node: NODE,
        version: '0.1.0',
        level: 'root, cgroup v1 and v2 (hybrid)',
        notEnforced: ['resources.limits.ephemeral-storage', 'securityContext'],
      },
    },
    ...['x2k9p', '7hfqd', 'm4tzw'].flatMap((suffix, index) =>
      web(`web-6d5f7c9b8-${suffix}`, startedAt, index),
    ),
    ...cart(now, startedAt),
    ...worker(now, startedAt),
    ...search(now),
    podRecord({
      name: 'cart-5c8d9-old1x',
      workload: 'cart',
      createdAt: startedAt - 3_600_000,
      at: startedAt - 60_000,
      state: {},
      restarts: 41,
      verdict: missingConfig(startedAt - 120_000, 41),
      deleted: true,
    }),
  ];
}

function web(name: string, startedAt: number, index: number): readonly AgentRecord[] {
  const at = startedAt + index * 400;
  const story: PodStory = {
    name,
    workload: 'web',
    labels: { tier: 'primary', team: 'storefront', 'app.kubernetes.io/part-of': 'shop' },
    createdAt: at,
    state: { running: { startedAt: rfc3339(at + 800) } },
    ready: true,
    memoryLimit: '160Mi',
  };
  const ref = podRef(story);
  return [
    podRecord(story),
    eventRecord(ref, at, 'Scheduled', `Successfully assigned shop/${name} to ${NODE}`),
    eventRecord(ref, at + 700, 'Created', 'Created container web'),
    eventRecord(ref, at + 800, 'Started', 'Started container web'),
    eventRecord(ref, at + 2_900, 'Ready', 'Ready 2.9 s after its creation'),
  ];
}

function missingConfig(at: number, deaths: number): Verdict {
  const dead = `uid-of-shop-cart-7b9c6d4f5-q8w2e/cart/${deaths - 1}`;
  return {
    cause: 'MissingConfig',
    failureMode: 'F1',
    confidence: 'certain',
    summary: `cart exits with code 1 at each start because the environment variable PAYMENT_URL is not set; it died ${deaths} times.`,
    evidence: [
      {
        fact: 'the log ends with: Error: missing required environment variable PAYMENT_URL',
        source: dead,
        at: rfc3339(at),
      },
      { fact: 'PAYMENT_URL is not among the settings of the container', source: dead, at: rfc3339(at) },
      {
        fact: 'exit code 1 after 0.2 s, no signal; nobody asked for the death',
        source: dead,
        at: rfc3339(at),
      },
    ],
    next: [
      {
        command: 'podvitals logs -n shop cart-7b9c6d4f5-q8w2e --previous',
        why: 'reads the last words of the life before',
      },
      {
        command: "grep -n 'PAYMENT_URL' examples/shop.yaml",
        why: 'shows where the setting should come from',
      },
    ],
  };
}

function cart(now: number, startedAt: number): readonly AgentRecord[] {
  const deaths = 7;
  const lives = Array.from({ length: deaths }, (_, attempt) => {
    const offset = [0, 2, 14, 36, 78, 160, 322][attempt]! * 1000;
    return cartLife(startedAt + offset, attempt);
  });
  const last = lives.at(-1)!;
  const verdict = missingConfig(last.finishedAt, deaths);
  const story: PodStory = {
    name: 'cart-7b9c6d4f5-q8w2e',
    workload: 'cart',
    labels: { tier: 'primary', team: 'checkout', 'app.kubernetes.io/part-of': 'shop' },
    createdAt: startedAt,
    at: last.finishedAt,
    state: {
      waiting: {
        reason: 'CrashLoopBackOff',
        message: 'back-off 5m0s restarting failed container=cart pod=cart-7b9c6d4f5-q8w2e_shop',
      },
    },
    lastState: {
      terminated: {
        exitCode: 1,
        reason: 'Error',
        startedAt: rfc3339(last.startedAt),
        finishedAt: rfc3339(last.finishedAt),
        containerID: last.containerId,
      },
    },
    restarts: deaths - 1,
    verdict,
  };
  const ref = podRef(story);
  return [
    podRecord(story),
    eventRecord(ref, startedAt, 'Scheduled', `Successfully assigned shop/${story.name} to ${NODE}`),
    ...lives.flatMap((life, attempt): AgentRecord[] => [
      eventRecord(ref, life.startedAt, 'Started', 'Started container cart', { attempt }),
      eventRecord(
        ref,
        life.finishedAt,
        'Died',
        'Container cart died: exit code 1 after 0.2 s; nobody asked for it',
        {
          attempt,
        },
      ),
      eventRecord(
        ref,
        life.finishedAt + 20,
        'BackOff',
        `Back-off ${10 * 2 ** attempt} s restarting failed container`,
        {
          attempt,
        },
      ),
      { kind: 'life', life: { ...life, verdict: missingConfig(life.finishedAt, attempt + 1) } },
    ]),
  ].filter((record) => record.kind !== 'event' || record.event.at <= now);
}

function cartLife(startedAt: number, attempt: number): Life {
  const finishedAt = startedAt + 210;
  const line = (ms: number, stream: LogLine['stream'], text: string): LogLine => ({
    at: startedAt + ms,
    stream,
    text,
  });
  return life({
    pod: podRef({ name: 'cart-7b9c6d4f5-q8w2e', workload: 'cart', createdAt: startedAt, state: {} }),
    attempt,
    startedAt,
    finishedAt,
    exitCode: 1,
    reason: 'Error',
    log: [
      line(120, 'stdout', 'cart: starting'),
      line(150, 'stderr', 'file:///app/shop/cart.mjs:6'),
      line(
        150,
        'stderr',
        '  if (value === undefined) throw new Error(["missing required environment variable", name, "see the manual for what it is"].join(" "));',
      ),
      line(150, 'stderr', '                                  ^'),
      line(151, 'stderr', ''),
      line(152, 'stderr', 'Error: missing required environment variable PAYMENT_URL'),
      line(152, 'stderr', '    at setting (file:///app/shop/cart.mjs:6:34)'),
      line(152, 'stderr', '    at file:///app/shop/cart.mjs:11:28'),
      line(153, 'stderr', ''),
      line(153, 'stderr', 'Node.js v24.21.0'),
    ],
    vitals: [
      { at: finishedAt - 100, cpuCores: 0.41, memoryWorkingSetBytes: 31 * MIB, memoryRssBytes: 29 * MIB },
    ],
  });
}

function worker(now: number, startedAt: number): readonly AgentRecord[] {
  const spans: readonly (readonly [number, number])[] = [
    [startedAt, startedAt + 24_000],
    [startedAt + 24_100, startedAt + 49_000],
    [startedAt + 59_000, startedAt + 83_000],
    [startedAt + 103_000, startedAt + 128_000],
  ];
  const oom = (at: number, deaths: number): Verdict => ({
    cause: 'OOMKilled',
    failureMode: 'F2',
    confidence: 'certain',
    summary: `The kernel killed worker at its memory limit of 128 MiB (${deaths} times); its memory grew by about 5 MiB a second all along, as a leak does.`,
    evidence: [
      {
        fact: 'the kernel counted 1 OOM kill in the container’s cgroup during this life',
        source: `uid-of-shop-worker-84c5d7f6b-j3n5r/worker/${deaths - 1}`,
        at: rfc3339(at),
      },
      {
        fact: 'the working set rose from 41 MiB to 128 MiB in 24 s',
        source:
          'container_memory_working_set_bytes{namespace="shop",pod="worker-84c5d7f6b-j3n5r",container="worker"}',
        at: rfc3339(at),
      },
      {
        fact: 'signal 9; nobody asked for the kill',
        source: `uid-of-shop-worker-84c5d7f6b-j3n5r/worker/${deaths - 1}`,
        at: rfc3339(at),
      },
    ],
    next: [
      { command: 'podvitals top -n shop worker-84c5d7f6b-j3n5r', why: 'shows whether memory grows again' },
      {
        command: "podvitals exec -n shop worker-84c5d7f6b-j3n5r -- sh -c 'kill -USR2 1'",
        why: 'writes a heap snapshot to look for what is kept',
      },
    ],
  });
  const ref = podRef({ name: 'worker-84c5d7f6b-j3n5r', workload: 'worker', createdAt: startedAt, state: {} });
  const lives = spans.map(([from, to], attempt) => ({
    ...workerLife(ref, from, to, attempt),
    verdict: oom(to, attempt + 1),
  }));
  const last = lives.at(-1)!;
  return [
    podRecord({
      name: ref.name,
      workload: 'worker',
      labels: { team: 'fulfilment', 'app.kubernetes.io/part-of': 'shop' },
      createdAt: startedAt,
      at: now - 20_000,
      state: { running: { startedAt: rfc3339(now - 20_000) } },
      lastState: {
        terminated: {
          exitCode: 137,
          signal: 9,
          reason: 'OOMKilled',
          startedAt: rfc3339(last.startedAt),
          finishedAt: rfc3339(last.finishedAt),
          containerID: last.containerId,
        },
      },
      ready: true,
      restarts: 4,
      verdict: oom(last.finishedAt, 4),
    }),
    ...lives.flatMap((one, attempt): AgentRecord[] => [
      eventRecord(ref, one.startedAt, 'Started', 'Started container worker', { attempt }),
      eventRecord(
        ref,
        one.finishedAt,
        'OOMKill',
        'The kernel killed process 1 (node) of worker: out of memory at 128 MiB',
        {
          attempt,
        },
      ),
      eventRecord(ref, one.finishedAt + 1, 'Died', 'Container worker died: signal 9 (OOMKilled) after 24 s', {
        attempt,
      }),
      { kind: 'life', life: one },
    ]),
  ];
}

function workerLife(pod: PodRef, startedAt: number, finishedAt: number, attempt: number): Life {
  const seconds = Math.floor((finishedAt - startedAt) / 1000);
  const vitals: VitalFrame[] = Array.from({ length: seconds }, (_, second) => {
    const memory = Math.min(128, 38 + second * 3.9 + Math.sin(second) * 0.8) * MIB;
    return {
      at: startedAt + second * 1000,
      cpuCores: 0.04 + (second % 5 === 0 ? 0.06 : 0.01),
      memoryWorkingSetBytes: memory,
      memoryRssBytes: memory - 2 * MIB,
      processes: 1,
      openDescriptors: 21,
    };
  });
  const log: LogLine[] = Array.from({ length: Math.min(seconds, 20) }, (_, index) => ({
    at: finishedAt - (20 - index) * 1000,
    stream: 'stdout',
    text: `worker: ${seconds - 20 + index} orders in memory, ${Math.round(46 + (seconds - 20 + index) * 3.9)} MiB`,
  }));
  return life({
    pod,
    attempt,
    startedAt,
    finishedAt,
    exitCode: 137,
    signal: 9,
    reason: 'OOMKilled',
    log,
    vitals,
    oomKills: [{ at: finishedAt, pid: 1, command: 'node', rssBytes: 126 * MIB, mainProcess: true }],
  });
}

function search(now: number): readonly AgentRecord[] {
  const createdAt = now - 38_000;
  const story: PodStory = {
    name: 'search-59f7b8d6c-v6b1y',
    workload: 'search',
    labels: { team: 'discovery', 'app.kubernetes.io/part-of': 'shop' },
    createdAt,
    at: now - 8_000,
    state: { running: { startedAt: rfc3339(createdAt + 800) } },
    verdict: {
      cause: 'ReadinessProbeFailing',
      failureMode: 'F12',
      confidence: 'likely',
      summary:
        'search runs but was not ready 30 s after its creation; its readiness probe answers 503 “index 80% built”.',
      evidence: [
        {
          fact: 'readiness probe GET http://10.88.0.9:8080/readyz: HTTP 503, index 80% built',
          source: 'uid-of-shop-search-59f7b8d6c-v6b1y:Unhealthy',
          at: rfc3339(now - 2_000),
        },
      ],
      next: [
        {
          command: 'podvitals describe -n shop search-59f7b8d6c-v6b1y',
          why: 'shows the probe and its thresholds',
        },
      ],
    },
  };
  const ref = podRef(story);
  return [
    podRecord(story),
    eventRecord(ref, createdAt, 'Scheduled', `Successfully assigned shop/${story.name} to ${NODE}`),
    eventRecord(ref, createdAt + 800, 'Started', 'Started container search'),
    eventRecord(ref, now - 2_000, 'Unhealthy', 'Readiness probe failed: HTTP 503, index 80% built'),
  ];
}

type LifeStory = Pick<Life, 'pod' | 'attempt' | 'startedAt' | 'finishedAt' | 'exitCode' | 'reason' | 'log'> &
  Partial<Life>;

/** A life of the pod's one container that nobody asked to end. */
export function life(story: LifeStory): Life {
  const { pod, attempt, finishedAt } = story;
  const probes: ProbeResult[] = [
    {
      at: finishedAt - 500,
      probe: 'readiness',
      ok: false,
      target: 'GET http://10.88.0.7:8080/readyz',
      message: 'connection refused',
      latencyMs: 1,
    },
  ];
  return {
    id: `${pod.uid}/${pod.workload}/${attempt}`,
    container: pod.workload,
    init: false,
    containerId: `process://${pod.workload}-${attempt}`,
    config: {
      image: 'host',
      command: ['node', `shop/${pod.workload}.mjs`],
      envNames: ['CURRENCY', 'SEARCH_WARMUP_SECONDS'],
      configHash: 'a1b2c3',
      memoryLimitBytes: 128 * MIB,
      cpuLimitCores: 0.5,
    },
    killRequest: null,
    unrequested: true,
    oomKills: [],
    vitals: [],
    probes,
    listening: [],
    verdict: HEALTHY,
    ...story,
  };
}
