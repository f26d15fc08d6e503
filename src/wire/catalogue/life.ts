import { family } from './family.ts';
import {
  CONTAINER,
  CONTAINER_TYPE,
  NAMESPACE,
  OF_CONTAINER,
  OF_POD,
  ofPoint,
  ofResource,
  POD,
  REASON,
} from './label.ts';

const container = family({ path: 'kubelet', labels: OF_CONTAINER });

/** What podvitals counts of a container's lives, because states that are sampled miss it. */
export const lifeSignals = {
  deaths: container.counter('podvitals_container_deaths_total', {
    unit: '{death}',
    help: 'Deaths of the container by reason; requested is true when a rollout, deletion or the like asked for it.',
    labels: [CONTAINER_TYPE, REASON, ofPoint('requested')],
    otlp: 'podvitals.container.deaths',
  }),
  crashLoops: container.counter('podvitals_container_crash_loops_total', {
    unit: '{entry}',
    help: 'Entries into CrashLoopBackOff.',
    labels: [CONTAINER_TYPE],
    otlp: 'podvitals.container.crash_loops',
  }),
  oomKills: container.counter('podvitals_container_oom_kills_total', {
    unit: '{kill}',
    help: "Kills by the kernel's out-of-memory killer over all lives of the container, child processes included.",
    otlp: 'podvitals.container.oom.kills',
  }),
  backOff: container.gauge('podvitals_container_back_off_seconds', {
    unit: 's',
    help: 'The delay before the next start; absent when not waiting.',
    otlp: 'podvitals.container.back_off',
  }),
  backOffTotal: container.counter('podvitals_container_back_off_seconds_total', {
    unit: 's',
    help: 'Time spent waiting for the next start.',
    otlp: 'podvitals.container.back_off.time',
  }),
};

/** What is wrong with a pod, as `why` says it. */
export const verdictSignals = {
  verdict: family({ path: 'kubelet', labels: OF_POD }).gauge('podvitals_pod_verdict', {
    unit: '1',
    help: 'What is wrong with the pod now, by cause; always 1, absent for a pod that is well.',
    labels: [
      ofPoint('cause', 'podvitals.verdict.cause'),
      ofPoint('failure_mode', 'podvitals.verdict.failure_mode'),
      ofPoint('confidence', 'podvitals.verdict.confidence'),
    ],
    otlp: 'podvitals.pod.verdict',
  }),
};

/** The kubelet's own counter. Source: kubernetes pkg/kubelet/prober/prober_manager.go */
export const proberSignals = {
  probes: family({ path: 'kubelet', labels: [] }).counter('prober_probe_total', {
    unit: '{probe}',
    help: 'Probes by type (Liveness, Readiness, Startup) and result (successful, failed).',
    labels: [
      ofPoint('probe_type'),
      ofPoint('result', 'podvitals.probe.result'),
      CONTAINER,
      POD,
      NAMESPACE,
      ofResource('pod_uid', 'k8s.pod.uid'),
    ],
    otlp: 'podvitals.probe.results',
  }),
};

export const startupSignals = {
  stage: family({ path: 'kubelet', labels: OF_POD }).gauge('podvitals_pod_startup_stage_seconds', {
    unit: 's',
    help: 'How long a stage of the start took: schedule, pull, init, start, ready. Absent until the stage is over.',
    labels: [ofPoint('stage', 'podvitals.startup.stage')],
    otlp: 'podvitals.pod.startup.stage',
  }),
};
