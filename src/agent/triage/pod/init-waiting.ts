import type { Evidence } from '../../../model/evidence.ts';
import { seriesName } from '../citation.ts';
import { currentLog, describePod } from '../next-step.ts';
import { containersOf, type PodEvidence } from '../pod-evidence.ts';
import { duration, rfc3339 } from '../words.ts';
import type { PodFailureOf } from './pod-failure.ts';

const PATIENCE_MS = 30_000;
const FEWEST = 3;

/** An init container tries to reach somebody, and goes on trying: the pod starts no further, and nothing ever fails. */
export const initWaiting: PodFailureOf = (pod) => {
  const container = containersOf(pod).find(
    ({ init, spec, status }) => init && spec.restartPolicy !== 'Always' && status?.state.running,
  );
  const since = Date.parse(container?.status?.state.running?.startedAt ?? '');
  if (!container || !(pod.now - since >= PATIENCE_MS)) return undefined;
  const errors = pod.networkErrors?.get(container.name);
  const [cause, count, kind, words] =
    (errors?.failedConnects ?? 0) >= FEWEST
      ? (['DependencyRefused', errors!.failedConnects, 'connect_failed', 'failed connections'] as const)
      : ([
          'DependencyTimeout',
          errors?.retransmitTimeouts ?? 0,
          'retransmit_timeout',
          'segments without an answer',
        ] as const);
  if (count < FEWEST) return undefined;
  const { name } = container;
  const fact = `the kernel counted ${count} ${words} out of the pod's network since init container ${name} started`;
  return {
    cause,
    confidence: 'likely',
    summary: `The pod does not start because its init container ${name} has waited for ${duration(pod.now - since)} for something it cannot reach: ${count} ${words} so far.`,
    evidence: [runs(pod, name, since), { fact, source: errorsSeries(pod, kind), at: rfc3339(pod.now) }],
    next: [
      currentLog(pod.view.ref, name),
      { command: 'podvitals get pods -A -o wide', why: 'see whether what it waits for runs and is ready' },
      describePod(pod.view.ref, 'check the address it is configured with'),
    ],
  };
};

const runs = ({ view }: PodEvidence, name: string, since: number): Evidence => ({
  fact: `init container ${name} has run since ${rfc3339(since).slice(11, 19)} UTC`,
  source: seriesName('kube_pod_init_container_status_running', view.ref, name),
  at: rfc3339(since),
});

const errorsSeries = ({ view }: PodEvidence, kind: string) =>
  `${seriesName('podvitals_pod_network_errors_total', view.ref).slice(0, -1)},kind=${JSON.stringify(kind)}}`;
