import type { Evidence } from '../../../model/evidence.ts';
import { seriesName } from '../citation.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { lastEvent, type PodEvidence } from '../pod-evidence.ts';
import { brief, rfc3339 } from '../words.ts';
import { eventFact, type PodFailureOf } from './pod-failure.ts';

const CORDONED = /node\(s\) were unschedulable/;
// The scheduler's own words. Source: kubernetes pkg/scheduler/framework/plugins.
const CONSTRAINTS: readonly (readonly [RegExp, string, string])[] = [
  [/Insufficient ([\w./-]+)/, 'no node has enough $1 left', 'lower the request, or make room'],
  [/Too many pods/, 'no node may take another pod', 'make room: each node takes a fixed number of pods'],
  [
    CORDONED,
    'the node is cordoned: no new pods are let onto it',
    'let pods onto the node again, or tolerate node.kubernetes.io/unschedulable',
  ],
  [
    /untolerated taint (\{[^}]{0,200}\})|taint(?:s|ed)?\b/i,
    'the nodes are tainted$1 and the pod does not tolerate it',
    'add the toleration, or use other nodes',
  ],
  [
    /didn't match Pod's node affinity\/selector|node selector|node\(s\) didn't match(?! pod (?:anti-)?affinity| pod topology)/i,
    'no node matches its node selector or affinity',
    'correct nodeSelector or affinity, or label a node',
  ],
  [/free ports/i, 'the host port it asks for is taken on every node', 'give up hostPort, or free it'],
  [
    /didn't match pod anti-affinity rules(?:.{0,300}? keeps it from pod ([\w./-]{1,320}[\w-]))?/i,
    'its podAntiAffinity keeps it from a pod that runs where it would$1',
    'relax podAntiAffinity (preferred instead of required; matchLabelKeys: [pod-template-hash] for rollouts), ask for fewer replicas, or add nodes',
  ],
  [
    /existing pods anti-affinity rules(?:.{0,300}? of pod ([\w./-]{1,320}[\w-]))?/i,
    'the podAntiAffinity of a pod that runs there keeps it away$1',
    'relax podAntiAffinity of that pod, or add nodes',
  ],
  [
    /didn't match pod affinity rules/i,
    'no node runs a pod that its podAffinity asks for',
    'start the pods that podAffinity names, or correct its labelSelector, namespaces and topologyKey',
  ],
  [
    /pod affinity\/anti-affinity/i,
    'where it may run is ruled out by (anti-)affinity to other pods',
    'relax the rule, or add nodes',
  ],
  [
    /missing required label\)(?:.{0,300}? no label ([\w./-]{1,316}\w))?/i,
    'its topology spread goes by a label that no node has$1',
    'label the nodes, or correct topologyKey',
  ],
  [
    /topology spread constraints(?! \(missing)/i,
    'its topology spread leaves no node',
    'relax topologySpreadConstraints (maxSkew, minDomains, ScheduleAnyway), or add nodes',
  ],
  [
    /persistentvolumeclaim "([^"]{1,253})"|unbound immediate PersistentVolumeClaims|volume node affinity/i,
    'its volume$1 is not there or lies elsewhere',
    'see the claim and its storage class',
  ],
  [
    /forbidden sysctl: "([\w./-]{1,253})"/,
    'the node does not allow its kernel parameter$1',
    'take it out of securityContext.sysctls, or let the node allow it (agent.allowedUnsafeSysctls)',
  ],
  [/OS field doesn't match/, 'it is for another operating system', 'correct os.name, or use other nodes'],
];
const everythingScarce = (message: string) =>
  [...new Set(message.match(/(?<=Insufficient )[\w./-]*\w/g))].join(' and ');
const REJECTED =
  /^(?:SysctlForbidden|OutOf\w+|NodeAffinity|UnexpectedAdmissionError|NodePorts|NodeUnschedulable|PodOSNotSupported)$/;

/** No node may take the pod, or the node it was given to refuses it: which constraint it is. */
export const unschedulable: PodFailureOf = (pod) => {
  const { object, ref } = pod.view;
  const condition = object.status.conditions.find(({ type }) => type === 'PodScheduled');
  const waits = condition?.status === 'False' && condition.reason !== 'SchedulingGated';
  const refused = object.status.phase === 'Failed' && REJECTED.test(object.status.reason ?? '');
  const event = lastEvent(pod, ['FailedScheduling']);
  if (!waits && !refused) return undefined;
  const message = (refused ? object.status.message : condition?.message) ?? event?.message ?? '';
  const found = CONSTRAINTS.flatMap(([pattern, words, remedy]) => {
    const match = pattern.exec(message);
    const named = match?.slice(1).find((part) => part !== undefined);
    if (!match) return [];
    const detail = words.includes('enough')
      ? brief(everythingScarce(message), 120)
      : named && ` (${brief(named, 120)})`;
    return [{ words: words.replace('$1', () => detail ?? ''), remedy }];
  });
  const resource = /enough resource: ([\w./-]+)|OutOf(\w+)/.exec(`${message} ${object.status.reason ?? ''}`);
  const why =
    found.length > 0
      ? found.map(({ words }) => words).join('; ')
      : resource
        ? `the node has not enough ${resource[1] ?? resource[2]} left for it`
        : 'what keeps it from a node is in the message';
  return {
    cause: 'Unschedulable',
    confidence: 'certain',
    summary: `No node takes the pod: ${why}. ${brief(message, 240)}`.trim(),
    evidence: facts(pod, refused, message, event === undefined ? undefined : eventFact(event)),
    next: [
      ...(CORDONED.test(message)
        ? [{ command: 'podvitals uncordon', why: 'let pods onto the node again, when its work is done' }]
        : []),
      describePod(ref, 'see requests, selectors, tolerations and the whole message'),
      manifestOf(ref, found[0]?.remedy ?? 'relax what the message names'),
    ],
  };
};

function facts(
  { view: { ref, object }, now }: PodEvidence,
  refused: boolean,
  message: string,
  event: Evidence | undefined,
): readonly Evidence[] {
  const condition = object.status.conditions.find(({ type }) => type === 'PodScheduled');
  const own: Evidence = {
    fact: `${refused ? 'its node refused it' : 'it is not scheduled'}${message === '' ? '' : `: ${brief(message, 300)}`}`,
    source: seriesName('kube_pod_status_unschedulable', ref),
    at: condition?.lastTransitionTime ?? rfc3339(now),
  };
  return event ? [event, own] : [own];
}
