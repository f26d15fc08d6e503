import { compareTrouble, summarizePod } from '../../model/pod-summary.ts';
import type { PodState } from '../../model/record.ts';
import { forSource } from '../../model/source-command.ts';
import type { Verdict } from '../../model/verdict.ts';
import { CodedError } from '../../util/coded-error.ts';
import type { EventLog } from '../storage/storage.ts';
import { MOST_PODS, newestPod, podNotFound } from './pods-lookup.ts';

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

/**
 * `name` is a pod's, else a workload's, of which the worst pod answers. Pods deleted since answer when no living one
 * does.
 *
 * @throws POD_NOT_FOUND (404) naming near names; NO_PODS (404) of a workload whose pods are refused, and why.
 */
export function why(log: EventLog, namespace: string, name: string): Why {
  const pod = podOrWorkload(log, namespace, name);
  if (pod === undefined)
    throw refusedPods(log, namespace, name) ?? podNotFound(log, namespace, name, 'pod or workload');
  const others = livingPodsOf(log, namespace, pod.pod.workload)
    .filter(({ pod: { uid }, verdict }) => uid !== pod.pod.uid && verdict.cause !== 'None')
    .slice(0, MOST_OTHERS);
  return { ...toAnswer(pod), others: others.map(toAnswer) };
}

/** Why the workload of this name has never had a pod: what its controller told last is that none could be made. */
function refusedPods(log: EventLog, namespace: string, workload: string): CodedError | undefined {
  const last = (reason: string) => log.events({ namespace, workload, reason, limit: 1 })[0];
  const [refused, made] = [last('FailedCreate'), last('SuccessfulCreate')];
  const isThere = log
    .workloads({ namespace, limit: MOST_PODS })
    .some(({ object, deleted }) => !deleted && object.metadata.name === workload);
  if (!isThere || refused === undefined || (made !== undefined && made.at > refused.at)) return undefined;
  return new CodedError(
    'NO_PODS',
    `workload "${namespace}/${workload}" has no pods, as none can be made: ${refused.message}`,
    { status: 404 },
  );
}

/** The pod of this name, else the worst pod of the workload of this name. */
export function podOrWorkload(log: EventLog, namespace: string, name: string): PodState | undefined {
  return newestPod(log, namespace, name) ?? worstPodOf(log, namespace, name);
}

function worstPodOf(log: EventLog, namespace: string, workload: string): PodState | undefined {
  const living = livingPodsOf(log, namespace, workload);
  if (living.length > 0) return living[0];
  return [...log.pods({ namespace, workload, deleted: true, limit: MOST_PODS })].sort(
    (a, b) => b.at - a.at,
  )[0];
}

function livingPodsOf(log: EventLog, namespace: string, workload: string): readonly PodState[] {
  return log
    .pods({ namespace, workload, limit: MOST_PODS })
    .filter(({ deleted }) => !deleted)
    .map((state) => ({ state, summary: summarizePod(state) }))
    .sort((a, b) => compareTrouble(a.summary, b.summary))
    .map(({ state }) => state);
}

function toAnswer({ pod: { namespace, name, uid }, object, verdict }: PodState) {
  return { pod: { namespace, name, uid }, verdict: forSource(verdict, object) };
}
