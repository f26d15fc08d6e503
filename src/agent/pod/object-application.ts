import type { ObjectMeta, PodTemplate } from '../../model/kubernetes.ts';
import { CodedError } from '../../util/coded-error.ts';
import { type ManifestObject, podSpecOf } from './manifest/manifest-object.ts';
import { missingClass, type PriorityLevel } from './node/priority.ts';
import { type ObjectStore, type Stored, type StoredKind, shown } from './object-store.ts';
import { firstDifference } from './pod-update.ts';
import { canonicalJson } from './workload/pod-names.ts';

export type ApplyAction = 'created' | 'configured' | 'unchanged';

/** What a manifest may ask for, but pods. */
export type KeptManifest = Exclude<ManifestObject, { kind: 'Pod' }>;

/** Written by controllers and by `rollout`, not by manifests: applying a manifest again leaves them. */
const OWN_ANNOTATIONS = 'deployment.kubernetes.io/';
export const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

const NO_PODS = { replicas: 0, readyReplicas: 0, availableReplicas: 0 };
const FIRST_STATUS: Partial<Record<StoredKind, object>> = {
  Deployment: { observedGeneration: 0, ...NO_PODS, updatedReplicas: 0, unavailableReplicas: 0 },
  StatefulSet: {
    observedGeneration: 0,
    ...NO_PODS,
    currentReplicas: 0,
    updatedReplicas: 0,
    currentRevision: '',
    updateRevision: '',
  },
  DaemonSet: {
    observedGeneration: 0,
    desiredNumberScheduled: 0,
    currentNumberScheduled: 0,
    numberReady: 0,
    numberAvailable: 0,
    numberUnavailable: 0,
    numberMisscheduled: 0,
    updatedNumberScheduled: 0,
  },
  Job: { active: 0, ready: 0, terminating: 0, succeeded: 0, failed: 0 },
  CronJob: {},
  Service: { loadBalancer: {} },
};
const API_VERSION: Readonly<Record<KeptManifest['kind'], string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  Service: 'v1',
  PodDisruptionBudget: 'policy/v1',
  PriorityClass: 'scheduling.k8s.io/v1',
  ConfigMap: 'v1',
  Secret: 'v1',
};

/** Keeps what a manifest asks for. What others than the manifest wrote stays as it is. */
export function applyKept(
  objects: ObjectStore,
  asked: KeptManifest,
  made: { readonly folder: string | undefined; readonly uid: () => string; readonly now: string },
): ApplyAction {
  const { kind, metadata } = asked;
  const before = objects.get(kind as StoredKind, metadata.namespace, metadata.name);
  const body = bodyOf(asked, before);
  const hasPods = !['ConfigMap', 'Secret', 'Service', 'PodDisruptionBudget', 'PriorityClass'].includes(kind);
  const folder = hasPods && made.folder !== undefined ? { folder: made.folder } : {};
  const annotations = { ...metadata.annotations, ...ownAnnotations(before) };
  const meta: ObjectMeta = {
    ...metadata,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    uid: before?.metadata.uid ?? made.uid(),
    creationTimestamp: before?.metadata.creationTimestamp ?? made.now,
  };
  const face = (object: object, of: Pick<ObjectMeta, 'labels' | 'annotations'>) =>
    canonicalJson([of.labels ?? {}, of.annotations ?? {}, object]);
  if (
    before &&
    face({ ...bodyOf(before, before), ...folderOf(before) }, before.metadata) ===
      face({ ...body, ...folder }, meta)
  )
    return 'unchanged';
  const sameSpec = before && canonicalJson(bodyOf(before, before)) === canonicalJson(body);
  const generation = (before?.metadata.generation ?? 0) + (sameSpec ? 0 : 1);
  const first = FIRST_STATUS[kind];
  void objects.put({
    apiVersion: API_VERSION[kind],
    kind,
    metadata: first ? { ...meta, generation } : meta,
    ...body,
    ...(first && { status: before && 'status' in before ? before.status : first }),
    ...folder,
    ...(before?.ledger && { ledger: before.ledger }),
    ...(before?.toldMissed !== undefined && { toldMissed: before.toldMissed }),
    ...(before?.claimOrdinals && { claimOrdinals: before.claimOrdinals }),
  } as unknown as Stored);
  return before ? 'configured' : 'created';
}

const folderOf = ({ folder }: Stored) => (folder === undefined ? {} : { folder });

function ownAnnotations(before: Stored | undefined): Readonly<Record<string, string>> {
  const entries = Object.entries(before?.metadata.annotations ?? {});
  return Object.fromEntries(entries.filter(([key]) => key.startsWith(OWN_ANNOTATIONS)));
}

/** What of an object a manifest decides, as it will be kept. */
function bodyOf(asked: KeptManifest | Stored, before: Stored | undefined): object {
  switch (asked.kind) {
    case 'ConfigMap': {
      const { data, binaryData } = asked;
      return { ...(data && { data }), ...(binaryData && { binaryData }) };
    }
    case 'PriorityClass': {
      const { value, globalDefault, description, preemptionPolicy } = asked;
      return { value, globalDefault, description, preemptionPolicy };
    }
    case 'Secret':
      return { type: asked.type ?? 'Opaque', ...(asked.data && { data: asked.data }) };
    case 'Deployment':
    case 'StatefulSet': {
      const kept = before as Stored<'Deployment' | 'StatefulSet'> | undefined;
      const replicas = asked.spec.replicas ?? kept?.spec.replicas ?? 1;
      return {
        spec: { ...asked.spec, replicas, template: restarted(asked.spec.template, kept?.spec.template) },
      };
    }
    case 'DaemonSet': {
      const kept = before as Stored<'DaemonSet'> | undefined;
      return { spec: { ...asked.spec, template: restarted(asked.spec.template, kept?.spec.template) } };
    }
    default:
      return { spec: (asked as { readonly spec?: unknown }).spec };
  }
}

/** A template that was restarted stays so, or its pods would be replaced once more. */
function restarted(template: PodTemplate, before: PodTemplate | undefined): PodTemplate {
  const at = before?.metadata?.annotations?.[RESTARTED_AT];
  if (at === undefined || template.metadata?.annotations?.[RESTARTED_AT] !== undefined) return template;
  return {
    ...template,
    metadata: {
      ...template.metadata,
      annotations: { ...template.metadata?.annotations, [RESTARTED_AT]: at },
    },
  };
}

/** Fields of a spec that may change once it is there; undefined: all but the selector. */
const MUTABLE: Partial<Record<KeptManifest['kind'], readonly string[]>> = {
  StatefulSet: [
    'replicas',
    'ordinals',
    'template',
    'updateStrategy',
    'persistentVolumeClaimRetentionPolicy',
    'minReadySeconds',
    'revisionHistoryLimit',
  ],
  Job: ['parallelism', 'suspend', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'],
};

/**
 * Refuses what cannot change in an object that is there.
 *
 * @throws CodedError `DEPLOYMENT_IMMUTABLE`, `STATEFULSET_IMMUTABLE`, `DAEMONSET_IMMUTABLE`, `JOB_IMMUTABLE`.
 * Source: kubernetes/pkg/apis/apps/validation, ValidateStatefulSetUpdate; pkg/apis/batch/validation, ValidateJobUpdate
 */
export function checkKeptUpdate(objects: ObjectStore, asked: KeptManifest): void {
  const { kind, metadata } = asked;
  const before = objects.get(kind as StoredKind, metadata.namespace, metadata.name);
  if (asked.kind === 'PriorityClass' && before?.kind === 'PriorityClass' && before.value !== asked.value)
    throw immutable(asked, 'value');
  if (!before || !('spec' in asked) || ['Service', 'CronJob', 'PodDisruptionBudget'].includes(kind)) return;
  const body = bodyOf(asked, before) as { readonly spec: Readonly<Record<string, unknown>> };
  const known = (shown(before) as unknown as typeof body).spec;
  const mutable = MUTABLE[kind];
  const fixed = (spec: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(spec).filter(([name]) => (mutable ? !mutable.includes(name) : name === 'selector')),
    );
  const path = firstDifference(fixed(known), fixed(body.spec), 'spec');
  if (path === undefined) return;
  throw immutable(asked, path);
}

const immutable = ({ kind, metadata, file }: KeptManifest, path: string) =>
  new CodedError(
    `${kind.toUpperCase()}_IMMUTABLE`,
    `${file}: the ${kind} "${metadata.name}" is invalid: ${path}: field is immutable. ` +
      `Delete it first: podvitals delete ${kind.toLowerCase()} ${metadata.name} -n ${metadata.namespace}`,
    { status: 422 },
  );

/**
 * Refuses pods that name a PriorityClass which is neither there nor among what is applied with them.
 *
 * @throws CodedError `PRIORITY_CLASS_NOT_FOUND`. Source: kubernetes/plugin/pkg/admission/priority/admission.go
 */
export function checkPriorities(asked: readonly ManifestObject[], levels: readonly PriorityLevel[]): void {
  const known = [
    ...levels,
    ...asked.flatMap((object) =>
      object.kind === 'PriorityClass' ? [{ name: object.metadata.name, value: object.value }] : [],
    ),
  ];
  for (const object of asked) {
    const spec = podSpecOf(object);
    const missing = spec && missingClass(spec, known);
    if (missing === undefined) continue;
    const { namespace, name } = object.metadata;
    throw new CodedError(
      'PRIORITY_CLASS_NOT_FOUND',
      `${object.file}: ${object.kind.toLowerCase()} ${namespace}/${name}: no PriorityClass with name ${missing} was found; apply one, or use ${[...known.map((level) => level.name), 'system-node-critical'].join(', ')}`,
      { status: 403 },
    );
  }
}
