import type { KubernetesObject } from '../model/kubernetes-object.ts';
import type { Endpoints, Service } from '../model/kubernetes-service.ts';
import type {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  ReplicaSet,
  StatefulSet,
  WorkloadCondition,
} from '../model/kubernetes-workload.ts';
import { selectorText, since } from './columns.ts';
import { templateLines } from './container-text.ts';
import { printable } from './terminal.ts';

const WIDTH = 24;
const field = (name: string, value: string | number) => `${`${name}:`.padEnd(WIDTH)}${value}`;

/**
 * Objects that are no pods as kubectl's describe lays them out. `related` are the ReplicaSets of a Deployment, the Jobs
 * of a CronJob, the Endpoints of a Service.
 */
export function describeObject(object: KubernetesObject, related: readonly KubernetesObject[]): string {
  const { metadata } = object;
  const lines = [
    field('Name', metadata.name),
    field('Namespace', metadata.namespace),
    field('CreationTimestamp', metadata.creationTimestamp),
    ...map('Labels', metadata.labels),
    ...map('Annotations', metadata.annotations),
    ...(metadata.ownerReferences ?? []).map((owner) => field('Controlled By', `${owner.kind}/${owner.name}`)),
    ...body(object, related),
  ];
  // A line end within a text would let it pass for lines of ours.
  return `${lines.map(printable).join('\n')}\n`;
}

function body(object: KubernetesObject, related: readonly KubernetesObject[]): readonly string[] {
  switch (object.kind) {
    case 'Deployment':
      return deployment(object, related as readonly ReplicaSet[]);
    case 'ReplicaSet':
      return replicaSet(object);
    case 'StatefulSet':
      return statefulSet(object);
    case 'DaemonSet':
      return daemonSet(object);
    case 'Job':
      return job(object);
    case 'CronJob':
      return cronJob(object, related as readonly Job[]);
    case 'Service':
      return service(object, related[0] as Endpoints | undefined);
    case 'Endpoints':
      return endpoints(object);
    case 'PriorityClass':
      return [
        field('Value', object.value),
        field('GlobalDefault', String(object.globalDefault ?? false)),
        field('PreemptionPolicy', object.preemptionPolicy ?? 'PreemptLowerPriority'),
        field('Description', object.description ?? ''),
      ];
    case 'PodDisruptionBudget':
      return [
        field('Min available', object.spec.minAvailable ?? '<unset>'),
        field('Max unavailable', object.spec.maxUnavailable ?? '<unset>'),
        field('Selector', selectorText(object.spec.selector ?? {})),
        field('Allowed disruptions', object.status?.disruptionsAllowed ?? 0),
        field('Current', object.status?.currentHealthy ?? 0),
        field('Desired', object.status?.desiredHealthy ?? 0),
        field('Total', object.status?.expectedPods ?? 0),
      ];
    case 'ConfigMap':
    case 'Secret':
      return ['Data:', ...Object.keys(object.data ?? {}).map((key) => `  ${key}`)];
    default:
      return [];
  }
}

function deployment({ metadata, spec, status }: Deployment, sets: readonly ReplicaSet[]): readonly string[] {
  const rolling = spec.strategy?.rollingUpdate;
  const revision = metadata.annotations?.['deployment.kubernetes.io/revision'];
  const own = (set: ReplicaSet) =>
    set.metadata.annotations?.['deployment.kubernetes.io/revision'] === revision;
  const named = (list: readonly ReplicaSet[]) =>
    list
      .map((set) => `${set.metadata.name} (${set.status.replicas}/${set.spec.replicas} replicas created)`)
      .join(', ') || '<none>';
  return [
    field('Selector', selectorText(spec.selector)),
    field(
      'Replicas',
      `${spec.replicas} desired | ${status.updatedReplicas} updated | ${status.replicas} total | ${status.availableReplicas} available | ${status.unavailableReplicas} unavailable`,
    ),
    field('StrategyType', spec.strategy?.type ?? 'RollingUpdate'),
    field('MinReadySeconds', spec.minReadySeconds ?? 0),
    ...(rolling
      ? [
          field(
            'RollingUpdateStrategy',
            `${rolling.maxUnavailable} max unavailable, ${rolling.maxSurge} max surge`,
          ),
        ]
      : []),
    ...templateLines(spec.template),
    ...conditions(status.conditions),
    field('OldReplicaSets', named(sets.filter((set) => !own(set) && set.spec.replicas > 0))),
    field('NewReplicaSet', named(sets.filter(own))),
  ];
}

const replicaSet = ({ spec, status }: ReplicaSet): readonly string[] => [
  field('Selector', selectorText(spec.selector)),
  field('Replicas', `${status.replicas} current / ${spec.replicas} desired`),
  field('Ready', status.readyReplicas),
  ...templateLines(spec.template),
  ...conditions(status.conditions),
];

const statefulSet = ({ spec, status }: StatefulSet): readonly string[] => [
  field('Selector', selectorText(spec.selector)),
  field('Replicas', `${spec.replicas} desired | ${status.replicas} total`),
  field('Ready', status.readyReplicas),
  field('Update Strategy', spec.updateStrategy?.type ?? 'RollingUpdate'),
  ...(spec.updateStrategy?.rollingUpdate
    ? [field('  Partition', spec.updateStrategy.rollingUpdate.partition ?? 0)]
    : []),
  ...(spec.persistentVolumeClaimRetentionPolicy
    ? [
        'Persistent Volume Claim Retention Policy:',
        field('  WhenDeleted', spec.persistentVolumeClaimRetentionPolicy.whenDeleted ?? 'Retain'),
        field('  WhenScaled', spec.persistentVolumeClaimRetentionPolicy.whenScaled ?? 'Retain'),
      ]
    : []),
  field('Pod Management', spec.podManagementPolicy ?? 'OrderedReady'),
  field('Current Revision', status.currentRevision),
  field('Update Revision', status.updateRevision),
  ...templateLines(spec.template),
  field(
    'Volume Claims',
    (spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name).join(', ') || '<none>',
  ),
];

const daemonSet = ({ spec, status }: DaemonSet): readonly string[] => [
  field('Selector', selectorText(spec.selector)),
  field('Desired Scheduled', status.desiredNumberScheduled),
  field('Current Scheduled', status.currentNumberScheduled),
  field('Up-to-date', status.updatedNumberScheduled),
  field('Available', status.numberAvailable),
  ...templateLines(spec.template),
];

const job = ({ spec, status }: Job): readonly string[] => [
  field('Parallelism', spec.parallelism ?? 1),
  field('Completions', spec.completions ?? '<unset>'),
  field('Completion Mode', spec.completionMode ?? 'NonIndexed'),
  ...(spec.completionMode === 'Indexed'
    ? [field('Completed Indexes', status.completedIndexes ?? '<none>')]
    : []),
  field('Backoff Limit', spec.backoffLimit ?? 6),
  ...(spec.activeDeadlineSeconds === undefined
    ? []
    : [field('Active Deadline Seconds', `${spec.activeDeadlineSeconds}s`)]),
  field('Start Time', status.startTime ?? '<none>'),
  ...(status.completionTime === undefined ? [] : [field('Completed At', status.completionTime)]),
  field(
    'Pods Statuses',
    `${status.active} Active (${status.ready} Ready) / ${status.succeeded} Succeeded / ${status.failed} Failed`,
  ),
  ...(spec.backoffLimitPerIndex === undefined
    ? []
    : [
        field('Limit Per Index', spec.backoffLimitPerIndex),
        field('Failed Indexes', status.failedIndexes ?? '<none>'),
      ]),
  ...templateLines(spec.template),
  ...conditions(status.conditions),
];

const cronJob = ({ spec, status }: CronJob, jobs: readonly Job[]): readonly string[] => [
  field('Schedule', spec.schedule),
  field('Time Zone', spec.timeZone ?? 'UTC'),
  field('Concurrency Policy', spec.concurrencyPolicy ?? 'Allow'),
  field('Suspend', spec.suspend ? 'True' : 'False'),
  field('Successful History', spec.successfulJobsHistoryLimit ?? 3),
  field('Failed History', spec.failedJobsHistoryLimit ?? 1),
  field(
    'Starting Deadline',
    spec.startingDeadlineSeconds === undefined ? '<unset>' : `${spec.startingDeadlineSeconds}s`,
  ),
  field('Last Schedule Time', status.lastScheduleTime ?? '<unset>'),
  field('Last Successful Time', status.lastSuccessfulTime ?? '<unset>'),
  field('Active Jobs', (status.active ?? []).map(({ name }) => name).join(', ') || '<none>'),
  field('Jobs', jobs.map((one) => one.metadata.name).join(', ') || '<none>'),
  ...templateLines(spec.jobTemplate.spec.template),
];

function service({ spec }: Service, found: Endpoints | undefined): readonly string[] {
  return [
    field('Selector', selectorText({ matchLabels: spec.selector ?? {} })),
    field('Type', spec.type ?? 'ClusterIP'),
    field('IP', spec.clusterIP ?? '<none>'),
    ...(spec.ports ?? []).flatMap(({ name, port, protocol = 'TCP', targetPort = port }) => [
      field('Port', `${name ?? '<unset>'} ${port}/${protocol}`),
      field('TargetPort', `${targetPort}/${protocol}`),
    ]),
    field('Endpoints', addressText(found, 'addresses')),
    field('NotReadyEndpoints', addressText(found, 'notReadyAddresses')),
  ];
}

const endpoints = (object: Endpoints): readonly string[] => [
  field('Addresses', addressText(object, 'addresses')),
  field('NotReadyAddresses', addressText(object, 'notReadyAddresses')),
  'Targets:',
  ...object.subsets.flatMap(({ addresses = [], notReadyAddresses = [] }) =>
    [...addresses, ...notReadyAddresses].map(({ ip, targetRef }) => `  ${ip.padEnd(16)}${targetRef.name}`),
  ),
];

function addressText(found: Endpoints | undefined, which: 'addresses' | 'notReadyAddresses'): string {
  const all = (found?.subsets ?? []).flatMap((subset) =>
    (subset[which] ?? []).flatMap(({ ip }) =>
      subset.ports === undefined ? [ip] : subset.ports.map(({ port }) => `${ip}:${port}`),
    ),
  );
  return all.join(',') || '<none>';
}

function conditions(all: readonly WorkloadCondition[] = []): readonly string[] {
  if (all.length === 0) return [];
  return [
    'Conditions:',
    ...all.map(
      ({ type, status, reason = '', message = '', lastTransitionTime }) =>
        `  ${type.padEnd(20)} ${status.padEnd(8)} ${reason.padEnd(26)} ${since(lastTransitionTime).padEnd(6)} ${message}`,
    ),
  ];
}

function map(name: string, values: Readonly<Record<string, string>> | undefined): string[] {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return [field(name, '<none>')];
  return entries.map(([key, value], index) =>
    index === 0 ? field(name, `${key}=${value}`) : `${' '.repeat(WIDTH)}${key}=${value}`,
  );
}
