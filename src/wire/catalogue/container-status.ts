import { family } from './family.ts';
import { CONTAINER, NODE, OF_POD, ofPoint, REASON } from './label.ts';
import type { Signal } from './signal.ts';

const { gauge, counter } = family({ path: 'kube-state-metrics', labels: [...OF_POD, CONTAINER] });
const IMAGE = [
  ofPoint('image_spec'),
  ofPoint('image', 'container.image.name'),
  ofPoint('image_id', 'container.image.id'),
  ofPoint('container_id', 'container.id'),
];

/**
 * Where kube-state-metrics has the same family for containers and for init containers, OpenTelemetry's name, if there
 * is one, belongs to the containers: it does not tell the two apart.
 */
function statusSignals(kind: {
  readonly prefix: 'kube_pod_container' | 'kube_pod_init_container';
  readonly what: string;
  readonly ours: string;
  readonly state: string;
  readonly ready: string;
  readonly stability: Signal['stability'];
}) {
  const { prefix, what, ours, stability } = kind;
  const state = (value: string) =>
    gauge(`${prefix}_status_${value}`, {
      unit: '{container}',
      help: `Whether the ${what} is ${value}: 0 or 1.`,
      otlp: kind.state,
      fixed: { 'k8s.container.status.state': value },
      additive: true,
      stability,
    });
  return {
    waiting: state('waiting'),
    running: state('running'),
    terminated: state('terminated'),
    ready: gauge(`${prefix}_status_ready`, {
      unit: '{container}',
      help: `Whether the ${what} is ready: 0 or 1.`,
      otlp: kind.ready,
      additive: true,
      stability,
    }),
    restarts: counter(`${prefix}_status_restarts_total`, {
      unit: '{restart}',
      help: `How often the ${what} was started again.`,
      otlp: `${ours}.restarts`,
      stability,
    }),
    waitingReason: gauge(`${prefix}_status_waiting_reason`, {
      unit: '{container}',
      help: `Why the ${what} waits; there only while it does, then 1.`,
      labels: [REASON],
      otlp: `${ours}.status.waiting_reason`,
      additive: true,
      stability,
    }),
    terminatedReason: gauge(`${prefix}_status_terminated_reason`, {
      unit: '{container}',
      help: `Why the ${what} ended; there only while it stays ended, then 1.`,
      labels: [REASON],
      otlp: `${ours}.status.terminated_reason`,
      additive: true,
      stability: 'experimental',
    }),
    lastTerminatedReason: gauge(`${prefix}_status_last_terminated_reason`, {
      unit: '{container}',
      help: `Why the ${what} ended the last time; there once it was started again, then 1.`,
      labels: [REASON],
      otlp: `${ours}.status.last_terminated_reason`,
      additive: true,
      stability: 'experimental',
    }),
    lastTerminatedExitCode: gauge(`${prefix}_status_last_terminated_exitcode`, {
      unit: '1',
      help: `The exit code with which the ${what} ended the last time.`,
      otlp: `${ours}.status.last_terminated_exit_code`,
      stability: 'experimental',
    }),
    lastTerminatedTimestamp: gauge(`${prefix}_status_last_terminated_timestamp`, {
      unit: 's',
      help: `When the ${what} ended the last time, in Unix time.`,
      otlp: `${ours}.status.last_terminated_time`,
      stability: 'experimental',
    }),
    started: gauge(`${prefix}_state_started`, {
      unit: 's',
      help: `When the ${what} was started, in Unix time.`,
      otlp: `${ours}.start_time`,
      stability,
    }),
  };
}

const RESOURCES = [
  { key: 'cpu', resource: 'cpu', unit: 'core', otlpUnit: '{cpu}', suffix: '.desired' },
  { key: 'memory', resource: 'memory', unit: 'byte', otlpUnit: 'By', suffix: '.desired' },
  { key: 'ephemeralStorage', resource: 'ephemeral_storage', unit: 'byte', otlpUnit: 'By', suffix: '' },
] as const;

interface ByResource {
  readonly cpu: Signal;
  readonly memory: Signal;
  readonly ephemeralStorage: Signal;
}

/** Kube-state-metrics keeps all resources in one family; OpenTelemetry has a name for each. */
function resourceSignals(
  prefix: string,
  otlp: string,
  amount: 'request' | 'limit',
  stability: Signal['stability'],
): ByResource {
  const entries = RESOURCES.map(({ key, resource, unit, otlpUnit, suffix }) => [
    key,
    gauge(`${prefix}_resource_${amount}s`, {
      unit: otlpUnit,
      help: `The ${amount} for a resource in the manifest, in cores or bytes.`,
      labels: [NODE],
      constants: [
        ['resource', resource],
        ['unit', unit],
      ],
      otlp: `${otlp}.${resource}.${amount}${suffix}`,
      additive: true,
      stability,
    }),
  ]);
  return Object.fromEntries(entries);
}

/** What kube-state-metrics says about containers. Source: as in `pod.ts`. */
export const containerStatusSignals = {
  info: gauge('kube_pod_container_info', {
    unit: '1',
    help: "A container's image and id; always 1.",
    labels: IMAGE,
    otlp: 'podvitals.container.info',
  }),
  ...statusSignals({
    prefix: 'kube_pod_container',
    what: 'container',
    ours: 'podvitals.container',
    state: 'k8s.container.status.state',
    ready: 'k8s.container.ready',
    stability: 'stable',
  }),
};
export const containerRequests = resourceSignals('kube_pod_container', 'k8s.container', 'request', 'stable');
export const containerLimits = resourceSignals('kube_pod_container', 'k8s.container', 'limit', 'stable');

export const initContainerStatusSignals = {
  info: gauge('kube_pod_init_container_info', {
    unit: '1',
    help: "An init container's image, id and restart policy; always 1.",
    labels: [...IMAGE, ofPoint('restart_policy')],
    otlp: 'podvitals.init_container.info',
  }),
  ...statusSignals({
    prefix: 'kube_pod_init_container',
    what: 'init container',
    ours: 'podvitals.init_container',
    state: 'podvitals.init_container.status.state',
    ready: 'podvitals.init_container.ready',
    stability: 'stable',
  }),
};
export const initContainerRequests = resourceSignals(
  'kube_pod_init_container',
  'podvitals.init_container',
  'request',
  'experimental',
);
export const initContainerLimits = resourceSignals(
  'kube_pod_init_container',
  'podvitals.init_container',
  'limit',
  'experimental',
);
