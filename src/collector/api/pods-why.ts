import type { WorkloadObject } from '../../model/kubernetes-object.ts';
import { compareTrouble, summarizePod } from '../../model/pod-summary.ts';
import type { PodState } from '../../model/record.ts';
import { forSource } from '../../model/source-command.ts';
import type { Verdict } from '../../model/verdict.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { EventLog } from '../storage/storage.ts';
import { MOST_PODS, newestPod, ownerOf, podNotFound, workloadNotFound } from './pods-lookup.ts';

export interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What is wrong with a pod, and with which other pods of its workload something is wrong as well, worst first. */
export interface Why {
  readonly pod: PodName;
  readonly verdict: Verdict;
  readonly others: readonly { readonly pod: PodName; readonly verdict: Verdict }[];
}

const MOST_OTHERS = 20;

/** Whose pods are asked for: a pod's own name, or that of what makes pods. */
export const WHY_KINDS = [
  'pod',
  'deployment',
  'replicaset',
  'statefulset',
  'daemonset',
  'job',
  'cronjob',
] as const;
export type WhyKind = (typeof WHY_KINDS)[number];

/**
 * Of a kind, `name` is one of its objects; without, it is a pod's, else a workload's. Of what makes pods the worst pod
 * answers. Pods deleted since answer when no living one does.
 *
 * @throws POD_NOT_FOUND (404) naming near names; NO_PODS (404) of a workload that has none, and why.
 */
export function why(log: EventLog, namespace: string, name: string, kind?: WhyKind): Why {
  const pod =
    kind === undefined
      ? podOrWorkload(log, namespace, name)
      : kind === 'pod'
        ? newestPod(log, namespace, name)
        : worst(podsOf(log, namespace, name, kind));
  if (pod === undefined) throw noPods(log, namespace, name, kind);
  const others = living(
    kind === undefined || kind === 'pod'
      ? podsOf(log, namespace, pod.pod.workload, pod.pod.workloadType)
      : podsOf(log, namespace, name, kind),
  )
    .filter(({ pod: { uid }, verdict }) => uid !== pod.pod.uid && verdict.cause !== 'None')
    .slice(0, MOST_OTHERS);
  return { ...toAnswer(pod), others: others.map(toAnswer) };
}

function noPods(log: EventLog, namespace: string, name: string, kind: WhyKind | undefined): CodedError {
  if (kind === 'pod') return podNotFound(log, namespace, name);
  const there = log
    .workloads({ namespace, limit: MOST_PODS })
    .flatMap(({ object, deleted }) => (!deleted && object.metadata.name === name ? [object] : []));
  const object = there.find((one) => kind === undefined || kindOf(one) === kind);
  if (object) return withoutPods(log, object);
  if (kind === undefined) return podNotFound(log, namespace, name, 'pod or workload');
  if (there[0]) return elsewhere(namespace, name, kind, kindOf(there[0]));
  const other = podOrWorkload(log, namespace, name);
  if (other) {
    const isPod = other.pod.name === name || other.pod.workloadType === 'barepod';
    return elsewhere(namespace, name, kind, isPod ? 'pod' : other.pod.workloadType);
  }
  return workloadNotFound(log, namespace, name, kind);
}

const kindOf = ({ kind }: WorkloadObject) => kind.toLowerCase();

function elsewhere(namespace: string, name: string, kind: WhyKind, found: string): CodedError {
  const command = `podvitals why ${found}/${name} -n ${namespace}`;
  const message = `${kind} "${namespace}/${name}" not found; there is a ${found} of that name: ${command}`;
  return new CodedError('POD_NOT_FOUND', message, { status: 404 });
}

/** Source of the refusal: what its controller told last is that none could be made. */
function withoutPods(log: EventLog, object: WorkloadObject): CodedError {
  const { namespace, name } = object.metadata;
  const kind = kindOf(object);
  const last = (reason: string) => log.events({ namespace, workload: name, reason, limit: 1 })[0];
  const [refused, made] = [last('FailedCreate'), last('SuccessfulCreate')];
  const isRefused = refused !== undefined && (made === undefined || made.at <= refused.at);
  const { replicas, suspend } = (object.spec ?? {}) as { replicas?: number; suspend?: boolean };
  const because = isRefused
    ? `, as none can be made: ${refused.message}`
    : replicas === 0
      ? `, and wants none: podvitals scale ${kind}/${name} --replicas=1 -n ${namespace}`
      : suspend
        ? ', as it is suspended: set spec.suspend to false'
        : `; see what its controller does: podvitals describe ${kind}/${name} -n ${namespace}`;
  const message = `${kind} "${namespace}/${name}" has no pods${because}`;
  return new CodedError('NO_PODS', message, { status: 404 });
}

/** The pod of this name, else the worst pod of the workload of this name. */
export const podOrWorkload = (log: EventLog, namespace: string, name: string): PodState | undefined =>
  newestPod(log, namespace, name) ?? worst(podsOf(log, namespace, name));

/** The living one in most trouble, else the one deleted last. */
function worst(states: readonly PodState[]): PodState | undefined {
  return living(states)[0] ?? [...states].sort((a, b) => b.at - a.at)[0];
}

const living = (states: readonly PodState[]): readonly PodState[] =>
  states
    .filter(({ deleted }) => !deleted)
    .map((state) => ({ state, summary: summarizePod(state) }))
    .sort((a, b) => compareTrouble(a.summary, b.summary))
    .map(({ state }) => state);

/** Those deleted since included. Of a kind, whoever it is that owns them: a CronJob's Job, a Deployment's ReplicaSet. */
function podsOf(log: EventLog, namespace: string, name: string, kind?: string): readonly PodState[] {
  const limit = MOST_PODS;
  const own = log
    .pods({ namespace, workload: name, deleted: true, limit })
    .filter(({ pod }) => kind === undefined || pod.workloadType === kind);
  if (own.length > 0 || (kind !== 'job' && kind !== 'replicaset')) return own;
  return log.pods({ namespace, deleted: true, limit }).filter(({ object }) => ownerOf(object, kind) === name);
}

function toAnswer({ pod: { namespace, name, uid }, object, verdict }: PodState) {
  return { pod: { namespace, name, uid }, verdict: forSource(verdict, object) };
}
