import type { Pod, PodTemplate } from '../model/kubernetes.ts';
import type { KubernetesObject } from '../model/kubernetes-object.ts';
import type { Endpoints, Service } from '../model/kubernetes-service.ts';
import type { CronJob, Job } from '../model/kubernetes-workload.ts';
import { podStatusWord } from '../model/pod-status-word.ts';
import { humanDuration } from './age.ts';

type Kind = KubernetesObject['kind'];
type Of<K extends Kind> = Extract<KubernetesObject, { kind: K }>;

interface Columns<Value> {
  /** After the namespace; those of `-o wide` last. */
  readonly heads: readonly string[];
  readonly wide?: readonly string[];
  row(object: Value): readonly string[];
  wideRow?(object: Value): readonly string[];
}

export const since = (time: string | undefined) =>
  time === undefined ? '<none>' : humanDuration(Date.now() - Date.parse(time));
const age = ({ metadata }: KubernetesObject) => since(metadata.creationTimestamp);

/** `a=1,b in (x,y)`, as kubectl prints a selector. */
export function selectorText(selector: {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}): string {
  const words = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator === 'Exists') words.push(key);
    else if (operator === 'DoesNotExist') words.push(`!${key}`);
    else words.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`);
  }
  return words.join(',') || '<none>';
}

const TEMPLATE_HEADS = ['CONTAINERS', 'IMAGES'];
const templateRow = ({ spec }: PodTemplate) => [
  spec.containers.map(({ name }) => name).join(','),
  spec.containers.map(({ image }) => image ?? 'host').join(','),
];

const configuration = (object: KubernetesObject): readonly string[] => [
  object.metadata.name,
  String('data' in object ? Object.keys(object.data ?? {}).length : 0),
  age(object),
];

const ALL: { readonly [K in Kind]: Columns<Of<K>> } = {
  Pod: {
    heads: ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
    wide: ['IP', 'NODE'],
    row(pod) {
      const sidecars = (pod.spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
      const isSidecar = (name: string) => sidecars.some((one) => one.name === name);
      const ready = [
        ...(pod.status.containerStatuses ?? []),
        ...(pod.status.initContainerStatuses ?? []).filter(({ name }) => isSidecar(name)),
      ].filter((status) => status.ready).length;
      return [
        pod.metadata.name,
        `${ready}/${pod.spec.containers.length + sidecars.length}`,
        podStatusWord(pod),
        restarts(pod),
        age(pod),
      ];
    },
    wideRow: ({ status, spec }) => [status.podIP ?? '<none>', spec.nodeName ?? '<none>'],
  },
  Deployment: {
    heads: ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE'],
    wide: [...TEMPLATE_HEADS, 'SELECTOR'],
    row: (object) => [
      object.metadata.name,
      `${object.status.readyReplicas}/${object.spec.replicas}`,
      String(object.status.updatedReplicas),
      String(object.status.availableReplicas),
      age(object),
    ],
    wideRow: ({ spec }) => [...templateRow(spec.template), selectorText(spec.selector)],
  },
  ReplicaSet: {
    heads: ['NAME', 'DESIRED', 'CURRENT', 'READY', 'AGE'],
    wide: [...TEMPLATE_HEADS, 'SELECTOR'],
    row: (object) => [
      object.metadata.name,
      String(object.spec.replicas),
      String(object.status.replicas),
      String(object.status.readyReplicas),
      age(object),
    ],
    wideRow: ({ spec }) => [...templateRow(spec.template), selectorText(spec.selector)],
  },
  StatefulSet: {
    heads: ['NAME', 'READY', 'AGE'],
    wide: TEMPLATE_HEADS,
    row: (object) => [
      object.metadata.name,
      `${object.status.readyReplicas}/${object.spec.replicas}`,
      age(object),
    ],
    wideRow: ({ spec }) => templateRow(spec.template),
  },
  DaemonSet: {
    heads: ['NAME', 'DESIRED', 'CURRENT', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'NODE SELECTOR', 'AGE'],
    wide: [...TEMPLATE_HEADS, 'SELECTOR'],
    row(object) {
      const { status } = object;
      const counts = [
        status.desiredNumberScheduled,
        status.currentNumberScheduled,
        status.numberReady,
        status.updatedNumberScheduled,
        status.numberAvailable,
      ];
      return [object.metadata.name, ...counts.map(String), '<none>', age(object)];
    },
    wideRow: ({ spec }) => [...templateRow(spec.template), selectorText(spec.selector)],
  },
  PodDisruptionBudget: {
    heads: ['NAME', 'MIN AVAILABLE', 'MAX UNAVAILABLE', 'ALLOWED DISRUPTIONS', 'AGE'],
    row: (object) => [
      object.metadata.name,
      String(object.spec.minAvailable ?? 'N/A'),
      String(object.spec.maxUnavailable ?? 'N/A'),
      String(object.status?.disruptionsAllowed ?? 0),
      age(object),
    ],
  },
  PriorityClass: {
    heads: ['NAME', 'VALUE', 'GLOBAL-DEFAULT', 'AGE', 'PREEMPTIONPOLICY'],
    row: (object) => [
      object.metadata.name,
      String(object.value),
      String(object.globalDefault ?? false),
      age(object),
      object.preemptionPolicy ?? 'PreemptLowerPriority',
    ],
  },
  ControllerRevision: {
    heads: ['NAME', 'CONTROLLER', 'REVISION', 'AGE'],
    row: (object) => {
      const owner = object.metadata.ownerReferences?.[0];
      return [
        object.metadata.name,
        owner ? `${owner.kind.toLowerCase()}.apps/${owner.name}` : '<none>',
        String(object.revision),
        age(object),
      ];
    },
  },
  Job: {
    heads: ['NAME', 'STATUS', 'COMPLETIONS', 'DURATION', 'AGE'],
    wide: TEMPLATE_HEADS,
    row: (job) => [job.metadata.name, jobStatus(job), completions(job), duration(job), age(job)],
    wideRow: ({ spec }) => templateRow(spec.template),
  },
  CronJob: {
    heads: ['NAME', 'SCHEDULE', 'TIMEZONE', 'SUSPEND', 'ACTIVE', 'LAST SCHEDULE', 'AGE'],
    wide: TEMPLATE_HEADS,
    row: (object: CronJob) => [
      object.metadata.name,
      object.spec.schedule,
      object.spec.timeZone ?? '<none>',
      object.spec.suspend ? 'True' : 'False',
      String(object.status.active?.length ?? 0),
      since(object.status.lastScheduleTime),
      age(object),
    ],
    wideRow: ({ spec }) => templateRow(spec.jobTemplate.spec.template),
  },
  Service: {
    heads: ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'],
    wide: ['SELECTOR'],
    row: (service: Service) => [
      service.metadata.name,
      service.spec.type ?? 'ClusterIP',
      service.spec.clusterIP ?? '<none>',
      service.spec.externalName ?? '<none>',
      (service.spec.ports ?? []).map(({ port, protocol }) => `${port}/${protocol ?? 'TCP'}`).join(',') ||
        '<none>',
      age(service),
    ],
    wideRow: ({ spec }) => [selectorText({ matchLabels: spec.selector ?? {} })],
  },
  Endpoints: {
    heads: ['NAME', 'ENDPOINTS', 'AGE'],
    row: (endpoints) => [endpoints.metadata.name, endpointsText(endpoints), age(endpoints)],
  },
  ConfigMap: { heads: ['NAME', 'DATA', 'AGE'], row: configuration },
  Secret: {
    heads: ['NAME', 'TYPE', 'DATA', 'AGE'],
    row: (object) => {
      const [name, ...rest] = configuration(object);
      return [name!, object.type ?? 'Opaque', ...rest];
    },
  },
};

/** kubectl's columns of each kind. Source: kubernetes/pkg/printers/internalversion/printers.go */
export function columnsOf(kind: Kind, wide: boolean) {
  const { heads, wide: wideHeads = [], row, wideRow } = ALL[kind] as Columns<KubernetesObject>;
  return {
    heads: wide ? [...heads, ...wideHeads] : heads,
    row: (object: KubernetesObject) => (wide ? [...row(object), ...(wideRow?.(object) ?? [])] : row(object)),
  };
}

/** `3 (12s ago)`, as kubectl: the count, and when the last death was. */
function restarts(pod: Pod): string {
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  const count = statuses.reduce((sum, status) => sum + status.restartCount, 0);
  const last = Math.max(
    ...statuses.map((status) => Date.parse(status.lastState.terminated?.finishedAt ?? '') || 0),
  );
  return count === 0 || last <= 0 ? String(count) : `${count} (${humanDuration(Date.now() - last)} ago)`;
}

const MOST_ENDPOINTS = 3;

function endpointsText({ subsets }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    addresses.flatMap(({ ip }) => (ports.length === 0 ? [ip] : ports.map(({ port }) => `${ip}:${port}`))),
  );
  if (all.length === 0) return '<none>';
  const more = all.length - MOST_ENDPOINTS;
  return `${all.slice(0, MOST_ENDPOINTS).join(',')}${more > 0 ? ` + ${more} more...` : ''}`;
}

function jobStatus({ status, metadata, spec }: Job): string {
  const is = (type: string) => status.conditions?.some((one) => one.type === type && one.status === 'True');
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (metadata.deletionTimestamp) return 'Terminating';
  if (spec.suspend) return 'Suspended';
  if (is('FailureTarget')) return 'FailureTarget';
  return is('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function completions({ spec, status }: Job): string {
  if (spec.completions !== undefined) return `${status.succeeded}/${spec.completions}`;
  const { parallelism = 1 } = spec;
  return parallelism > 1 ? `${status.succeeded}/1 of ${parallelism}` : `${status.succeeded}/1`;
}

function duration({ status }: Job): string {
  if (status.startTime === undefined) return '';
  const end = status.completionTime === undefined ? Date.now() : Date.parse(status.completionTime);
  return humanDuration(end - Date.parse(status.startTime));
}
