import { family } from './family.ts';
import { CONTAINER_TYPE, OF_WORKLOAD, ofPoint } from './label.ts';

const { gauge, counter, histogram } = family({ path: 'kubelet', labels: OF_WORKLOAD });
const podSeconds = (name: string, help: string, otlp: string) => counter(name, { unit: 's', help, otlp });

/** Upper bounds of the start-up histogram, in seconds: those the agent counts by; the objective of 30 s is one. */
const STARTUP_BOUNDS_SECONDS = [0.5, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 120, 180, 300, 600] as const;

/** Counters of workloads; they go on when a pod is replaced by the next. */
export const workloadSignals = {
  info: gauge('podvitals_workload_info', {
    unit: '1',
    help: 'What a workload belongs to: the Service that selects its pods, else app.kubernetes.io/part-of, else itself; and the labels team and tier of its pods. Always 1.',
    labels: [
      ofPoint('service', 'k8s.service.name'),
      ofPoint('team', 'k8s.pod.label.team'),
      ofPoint('tier', 'k8s.pod.label.tier'),
    ],
    otlp: 'podvitals.workload.info',
  }),
  desiredPods: gauge('podvitals_workload_desired_pods', {
    unit: '{pod}',
    help: 'Pods the workload should have.',
    otlp: 'podvitals.workload.desired_pods',
    additive: true,
  }),
  readyPods: gauge('podvitals_workload_ready_pods', {
    unit: '{pod}',
    help: 'Pods of the workload that are ready, at most as many as desired.',
    otlp: 'podvitals.workload.ready_pods',
    additive: true,
  }),
  desiredPodSeconds: podSeconds(
    'podvitals_workload_desired_pod_seconds_total',
    'Time for which pods were desired, summed over pods.',
    'podvitals.workload.desired_pod_time',
  ),
  readyPodSeconds: podSeconds(
    'podvitals_workload_ready_pod_seconds_total',
    'Time for which pods were ready, summed over pods, surge pods left out.',
    'podvitals.workload.ready_pod_time',
  ),
  podSeconds: podSeconds(
    'podvitals_workload_pod_seconds_total',
    'Time for which pods existed, summed over pods.',
    'podvitals.workload.pod_time',
  ),
  restarts: counter('podvitals_workload_restarts_total', {
    unit: '{restart}',
    help: 'Containers started again, over all pods of the workload.',
    labels: [CONTAINER_TYPE],
    otlp: 'podvitals.workload.restarts',
  }),
  crashLoops: counter('podvitals_workload_crash_loops_total', {
    unit: '{entry}',
    help: 'Entries into CrashLoopBackOff, over all pods of the workload.',
    otlp: 'podvitals.workload.crash_loops',
  }),
  starts: counter('podvitals_workload_pod_starts_total', {
    unit: '{start}',
    help: 'Starts of pods that were judged: Ready within 30 s, or slow at 30 s.',
    otlp: 'podvitals.workload.pod_starts',
  }),
  slowStarts: counter('podvitals_workload_pod_slow_starts_total', {
    unit: '{start}',
    help: 'Starts of pods that were not Ready within 30 s.',
    otlp: 'podvitals.workload.pod_slow_starts',
  }),
  startup: histogram('podvitals_workload_pod_startup_seconds', {
    unit: 's',
    help: 'From the creation of a pod to its first Ready.',
    otlp: 'podvitals.workload.pod_startup',
    bounds: STARTUP_BOUNDS_SECONDS,
  }),
};
