import { z } from 'zod';
import type { AgentRecord } from '../../model/record.ts';

/**
 * What a record must look like to be stored: it came over a network, and pages, runbooks and rules read it. Members
 * we do not know are dropped, except inside Kubernetes objects.
 */
const text = z.string().max(65_536);
const name = z.string().max(1_024);
const id = z.string().min(1).max(256);
const at = z.int().min(0);
const amount = z.number().optional();

const pod = z.object({
  namespace: name,
  name,
  uid: name,
  node: name,
  workload: name,
  workloadType: z.enum([
    'deployment',
    'statefulset',
    'daemonset',
    'job',
    'cronjob',
    'replicaset',
    'staticpod',
    'barepod',
  ]),
});

const verdict = z.object({
  cause: name,
  failureMode: z.templateLiteral(['F', z.int().min(1).max(16)]).nullable(),
  confidence: z.enum(['certain', 'likely', 'unknown']),
  summary: text,
  evidence: z.array(z.object({ fact: text, source: text, at: name })).max(1_000),
  next: z.array(z.object({ command: text, why: text })).max(100),
});

const event = z.object({
  id,
  at,
  pod,
  object: z.object({ kind: name, name }).optional(),
  container: name.optional(),
  attempt: z.int().min(0).optional(),
  type: z.enum(['Normal', 'Warning']),
  reason: name,
  message: text,
  details: z.record(name, z.union([text, z.number(), z.boolean()])).optional(),
});

const life = z.object({
  id,
  pod,
  container: name,
  init: z.boolean(),
  attempt: z.int().min(0),
  containerId: name,
  config: z.object({
    image: text,
    command: z.array(text).max(1_000),
    envNames: z.array(name).max(10_000),
    configHash: name,
    envHashes: z.record(name, name).optional(),
    probesHash: name.optional(),
    memoryLimitBytes: amount,
    cpuLimitCores: amount,
    pidsLimit: amount,
  }),
  startedAt: at,
  finishedAt: at,
  exitCode: z.int(),
  signal: z.int().optional(),
  reason: name,
  killRequest: z
    .object({
      by: z.enum([
        'probe',
        'hook',
        'delete',
        'rollout',
        'eviction',
        'deadline',
        'user',
        'shutdown',
        'pod-failed',
      ]),
      message: text,
      at,
    })
    .nullable(),
  unrequested: z.boolean(),
  oomKills: z
    .array(
      z.object({
        at,
        pid: z.int().optional(),
        command: text.optional(),
        rssBytes: amount,
        mainProcess: z.boolean(),
      }),
    )
    .max(1_000),
  log: z.array(z.object({ at, stream: z.enum(['stdout', 'stderr']), text })).max(1_000),
  vitals: z
    .array(
      z.object({
        at,
        cpuCores: amount,
        throttledRatio: amount,
        memoryWorkingSetBytes: amount,
        memoryRssBytes: amount,
        processes: amount,
        openDescriptors: amount,
        descriptorLimit: amount,
        ioStallRatio: amount,
        memoryStallRatio: amount,
        cpuStallRatio: amount,
      }),
    )
    .max(1_000),
  probes: z
    .array(
      z.object({
        at,
        probe: z.enum(['liveness', 'readiness', 'startup']),
        ok: z.boolean(),
        target: text,
        message: text,
        latencyMs: z.number(),
        late: z.literal(true).optional(),
      }),
    )
    .max(1_000),
  failedConnects: z.int().min(0).optional(),
  retransmitTimeouts: z.int().min(0).optional(),
  fault: z.object({ kind: z.string(), file: z.string().optional() }).optional(),
  clockOffsetSeconds: amount,
  denial: z.object({ by: z.enum(['AppArmor', 'SELinux', 'seccomp']), what: text }).optional(),
  sender: z
    .object({
      at,
      signal: z.int(),
      pid: z.int(),
      command: name,
      target: z.object({ pid: z.int(), command: name, mainProcess: z.boolean() }),
      place: z.enum(['itself', 'parent', 'container', 'pod', 'other-pod', 'exec', 'node']),
      container: name.optional(),
      pod: name.optional(),
      user: name.optional(),
    })
    .optional(),
  listening: z.array(z.object({ address: name, port: z.int() })).max(1_000),
  verdict,
});

const kubernetesObject = (...kinds: readonly [string, ...string[]]) =>
  z.looseObject({
    kind: z.enum(kinds),
    metadata: z.looseObject({ name, namespace: name, uid: name }),
    spec: z.looseObject({}),
    status: z.looseObject({}),
  });

const podState = z.object({ id, at, pod, object: kubernetesObject('Pod'), verdict, deleted: z.boolean() });
const workloadState = z.object({
  id,
  at,
  node: name,
  object: kubernetesObject('Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'),
  deleted: z.boolean(),
});
const nodeState = z.object({
  id,
  at,
  node: name,
  version: name,
  level: name,
  notEnforced: z.array(text).max(1_000),
});

const record = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('event'), event }),
  z.object({ kind: z.literal('life'), life }),
  z.object({ kind: z.literal('pod'), state: podState }),
  z.object({ kind: z.literal('workload'), state: workloadState }),
  z.object({ kind: z.literal('node'), state: nodeState }),
]);

/** The record, or the first thing wrong with it: `life.pod.uid: expected string`. */
export function parseRecord(value: unknown): AgentRecord | string {
  const parsed = record.safeParse(value);
  if (parsed.success) return parsed.data as unknown as AgentRecord;
  const issue = parsed.error.issues[0]!;
  return `${issue.path.join('.')}: ${issue.message}`;
}
