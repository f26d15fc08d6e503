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
  const pod = podOf(log, subject);
  const alerts = asked.alerts.filter((active) => isAbout(active, alert, subject, pod));
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

// Alerts of the pod and of its workload as a whole; where the subject names neither, those of the page's name.
function isAbout({ labels }: Alert, alert: string, subject: Subject, pod: PodState | undefined): boolean {
  const label = (name: string) => labelValue(labels, name);
  if (subject.namespace !== undefined && label('namespace') !== subject.namespace) return false;
  const names = { pod: pod?.pod.name ?? subject.pod, workload: pod?.pod.workload ?? subject.workload };
  if (names.pod === undefined && names.workload === undefined) return label('alertname') === alert;
  return label('pod') === '' ? label('workload') === names.workload : label('pod') === names.pod;
}
