import type { Alert } from '../../model/alert.ts';
import { labelValue } from '../../model/labels.ts';
import type { PodState } from '../../model/record.ts';
import type { LiveFacts, Subject } from '../runbooks/live-facts.ts';
import type { EventLog } from '../storage/storage.ts';
import { podOrWorkload } from './pods-why.ts';

const MOST_LIVES = 20;
const MOST_EVENTS = 50;

/**
 * What is known now about an alert's subject. A workload stands for its worst pod. Undefined for an empty subject: the
 * page is then the same for everyone.
 */
export function liveFacts(asked: {
  readonly alert: string;
  readonly subject: Subject;
  readonly log: EventLog;
  readonly alerts: readonly Alert[];
}): LiveFacts | undefined {
  const { alert, subject, log } = asked;
  if (Object.values(subject).every((value) => value === undefined)) return undefined;
  const alerts = asked.alerts.filter((active) => isAbout(active, alert, subject));
  const pod = podOf(log, subject);
  if (pod === undefined) return { subject, alerts };
  const { namespace, name, uid } = pod.pod;
  const container = subject.container === undefined ? {} : { container: subject.container };
  return {
    subject,
    pod,
    lives: log.lives({ namespace, pod: name, uid, ...container, limit: MOST_LIVES }),
    events: log.events({ namespace, pod: name, uid, limit: MOST_EVENTS }),
    alerts,
  };
}

function podOf(log: EventLog, { namespace, pod, workload }: Subject): PodState | undefined {
  const name = pod ?? workload;
  return namespace === undefined || name === undefined ? undefined : podOrWorkload(log, namespace, name);
}

// The alert of the page, and others of the same pod or workload; those of other namespaces are somebody else's.
function isAbout({ labels }: Alert, alert: string, { namespace, pod, workload }: Subject): boolean {
  const is = (name: string, value: string | undefined) =>
    value !== undefined && labelValue(labels, name) === value;
  if (namespace !== undefined && !is('namespace', namespace)) return false;
  return labelValue(labels, 'alertname') === alert || is('pod', pod) || is('workload', workload);
}
