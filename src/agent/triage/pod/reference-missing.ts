import type { Verdict } from '../../../model/verdict.ts';
import { applyAgain, configMapOf, describePod, manifestOf } from '../next-step.ts';
import { containersOf, lastEvent, type PodEvidence } from '../pod-evidence.ts';
import { brief } from '../words.ts';
import { eventFact, type PodFailureOf, waitingFact } from './pod-failure.ts';

interface Reference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly key?: string;
}

/** A ConfigMap, Secret or key that a container or volume refers to does not exist: the kubelet's own words. */
export const referenceMissing: PodFailureOf = (pod) => {
  for (const { name, status } of containersOf(pod)) {
    const waiting = status?.state.waiting;
    if (waiting?.reason !== 'CreateContainerConfigError') continue;
    const event = lastEvent(pod, ['Failed'], name);
    const message = waiting.message ?? event?.message ?? '';
    const fact = waitingFact(pod, name, waiting, event);
    return (
      rootRefused(pod, name, message, fact) ??
      verdictOf(pod, `Container ${name}`, referenceIn(message), message, fact)
    );
  }
  const mount = lastEvent(pod, ['FailedMount']);
  if (!mount || pod.view.startup.sandboxAt !== undefined) return undefined;
  const volume = /volume "([^"]{1,253})"/.exec(mount.message)?.[1];
  return verdictOf(
    pod,
    `Volume ${volume === undefined ? '' : `${volume} `}of the pod`,
    referenceIn(mount.message),
    mount.message,
    eventFact(mount),
  );
};

/** The kubelet's two words for a container that must not run as root and would. */
function rootRefused(
  { view: { ref } }: PodEvidence,
  container: string,
  message: string,
  fact: Verdict['evidence'][number],
): Verdict | undefined {
  const asked = /runAsUser breaks non-root policy/.test(message);
  if (!asked && !/runAsNonRoot and image will run as root/.test(message)) return undefined;
  const why = asked ? 'its runAsUser is 0' : 'nothing names another user';
  return {
    cause: 'StartError',
    failureMode: 'F1',
    confidence: 'certain',
    summary: `Container ${container} cannot be started: runAsNonRoot forbids it to run as root, and ${why}.`,
    evidence: [fact],
    next: [
      manifestOf(ref, 'set securityContext.runAsUser to the number of a user other than root'),
      applyAgain('apply it; a pod that was made by hand must be deleted first'),
    ],
  };
}

/** `configmap "shop" not found`, `couldn't find key URL in Secret shop/pay`, `references non-existent secret key: k`. */
function referenceIn(message: string): Reference | undefined {
  const object = /\b(configmap|secret) "([^"]{1,253})" not found/i.exec(message);
  if (object) return { kind: kindOf(object[1]!), name: object[2]! };
  const key = /couldn't find key (\S{1,253}) in (ConfigMap|Secret) (?:[^\s/]{1,253}\/)?(\S{1,253})/i.exec(
    message,
  );
  if (key) return { kind: kindOf(key[2]!), name: key[3]!, key: key[1]! };
  const item =
    /references non-existent (configmap|secret|config) key: (?:[^\s/]{1,253}\/([^\s/]{1,253})\/)?(\S{1,253})/i.exec(
      message,
    );
  if (item) return { kind: kindOf(item[1]!), name: item[2] ?? '', key: item[3]! };
  return undefined;
}

const kindOf = (word: string) => (word.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap');

function verdictOf(
  pod: PodEvidence,
  subject: string,
  reference: Reference | undefined,
  message: string,
  fact: Verdict['evidence'][number],
): Verdict {
  const { ref } = pod.view;
  const what =
    reference === undefined
      ? `something it refers to: ${brief(message, 200)}`
      : reference.key === undefined
        ? `the ${reference.kind} ${reference.name}, which does not exist in namespace ${ref.namespace}`
        : `the key ${reference.key} of the ${reference.kind} ${reference.name}, which does not have it`;
  const look =
    reference?.kind === 'ConfigMap' && reference.name !== ''
      ? [configMapOf(ref.namespace, reference.name, 'see whether it exists and which keys it has')]
      : [describePod(ref, 'see what the pod refers to')];
  const isVolume = reference === undefined && !/not found|non-existent|find key/.test(message);
  return {
    cause: isVolume ? 'VolumeMountFailed' : 'MissingConfig',
    failureMode: isVolume || fact.fact.startsWith('FailedMount') ? 'F6' : 'F1',
    confidence: 'certain',
    summary: `${subject} cannot be set up: it needs ${what}.`,
    evidence: [fact],
    next: [...look, applyAgain('apply what is missing'), manifestOf(ref, 'or correct the reference')],
  };
}
