import type { PodTemplate } from '../../../model/kubernetes.ts';
import { CodedError } from '../../../util/coded-error.ts';
import { RESTARTED_AT } from '../object-application.ts';
import type { ObjectStore, Stored } from '../object-store.ts';
import { HASH_LABEL, replicaSetName, revisionOf } from './deployment.ts';
import { canonicalJson } from './pod-names.ts';

/** What `scale` and `rollout` ask of a workload. */
export type WorkloadChange =
  | { readonly verb: 'scale'; readonly replicas: number }
  | { readonly verb: 'restart' | 'pause' | 'resume' }
  /** Back to this revision; left out: to the one before the present. */
  | { readonly verb: 'undo'; readonly toRevision?: number };

type Templated = Stored<'Deployment' | 'StatefulSet' | 'DaemonSet'>;

const isTemplated = (object: Stored): object is Templated =>
  object.kind === 'Deployment' || object.kind === 'StatefulSet' || object.kind === 'DaemonSet';

/**
 * The workload once it is changed, with a generation of its own if that changes anything.
 *
 * @throws CodedError `NOT_SCALABLE`, `NOT_RESTARTABLE`, `NOT_PAUSABLE`, `DEPLOYMENT_PAUSED`, `NO_REVISION`.
 * Source: kubectl/pkg/polymorphichelpers: objectrestarter.go, rollback.go
 */
export function changedWorkload(
  object: Stored,
  change: WorkloadChange,
  world: { readonly objects: Pick<ObjectStore, 'ownedBy'>; readonly now: string },
): Stored {
  switch (change.verb) {
    case 'scale':
      return withSpec(object, { replicas: scalable(object, change.replicas) });
    case 'restart': {
      const { spec } = restartable(object);
      return withSpec(object, { template: annotated(spec.template, { [RESTARTED_AT]: world.now }) });
    }
    case 'pause':
    case 'resume': {
      if (object.kind !== 'Deployment')
        throw refusal('NOT_PAUSABLE', object, 'only a Deployment can be paused');
      return withSpec(object, { paused: change.verb === 'pause' });
    }
    case 'undo':
      return undone(object, change.toRevision, world.objects);
  }
}

function withSpec(object: Stored, fields: object): Stored {
  const { spec } = object as Templated;
  const next = { ...spec, ...fields };
  if (canonicalJson(next) === canonicalJson(spec)) return object;
  const generation = (object.metadata.generation ?? 0) + 1;
  return { ...object, metadata: { ...object.metadata, generation }, spec: next } as Stored;
}

// One machine: a number beyond this is a slip of the finger.
export const MOST_REPLICAS = 500;

function scalable(object: Stored, replicas: number): number {
  if (object.kind !== 'Deployment' && object.kind !== 'StatefulSet')
    throw refusal('NOT_SCALABLE', object, 'a Deployment or StatefulSet can be scaled');
  if (!Number.isInteger(replicas) || replicas < 0 || replicas > MOST_REPLICAS)
    throw refusal('NOT_SCALABLE', object, `replicas must be from 0 to ${MOST_REPLICAS}, not ${replicas}`);
  return replicas;
}

function restartable(object: Stored): Templated {
  if (!isTemplated(object))
    throw refusal('NOT_RESTARTABLE', object, 'a Deployment, StatefulSet or DaemonSet can be restarted');
  paused(object, 'restart');
  return object;
}

function paused(object: Templated, verb: string): void {
  if (object.kind === 'Deployment' && object.spec.paused) {
    const { name, namespace } = object.metadata;
    throw refusal(
      'DEPLOYMENT_PAUSED',
      object,
      `it is paused: it cannot ${verb}; run: podvitals rollout resume deployment/${name} -n ${namespace}`,
    );
  }
}

const annotated = (template: PodTemplate, annotations: Readonly<Record<string, string>>): PodTemplate => ({
  ...template,
  metadata: { ...template.metadata, annotations: { ...template.metadata?.annotations, ...annotations } },
});

/** A template that a workload has had. */
export interface Revision {
  readonly revision: number;
  readonly template: PodTemplate;
  readonly folder?: string | undefined;
  readonly current: boolean;
  readonly cause?: string | undefined;
}

/** The templates that are kept, oldest first. */
export function revisionsOf(object: Templated, objects: Pick<ObjectStore, 'ownedBy'>): readonly Revision[] {
  const { uid } = object.metadata;
  const cause = (metadata: Stored['metadata']) => metadata.annotations?.[CHANGE_CAUSE];
  const found: Revision[] =
    object.kind === 'Deployment'
      ? objects.ownedBy('ReplicaSet', uid).map((set) => ({
          revision: revisionOf(set),
          template: withoutHash(set.spec.template),
          folder: set.folder,
          current: set.metadata.name === replicaSetName(object).name,
          cause: cause(set.metadata),
        }))
      : objects.ownedBy('ControllerRevision', uid).map((kept) => ({
          revision: kept.revision,
          template: kept.data.spec.template,
          folder: kept.folder,
          current: canonicalJson(kept.data.spec.template) === canonicalJson(object.spec.template),
          cause: cause(kept.metadata),
        }));
  return found.sort((a, b) => a.revision - b.revision);
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [HASH_LABEL]: _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The revision an undo leads back to; undefined: there is none. */
export function undoTarget(
  object: Templated,
  toRevision: number | undefined,
  objects: Pick<ObjectStore, 'ownedBy'>,
): Revision | undefined {
  const revisions = revisionsOf(object, objects);
  return toRevision === undefined || toRevision === 0
    ? revisions.filter(({ current }) => !current).at(-1)
    : revisions.find(({ revision }) => revision === toRevision);
}

function undone(
  object: Stored,
  toRevision: number | undefined,
  objects: Pick<ObjectStore, 'ownedBy'>,
): Stored {
  if (!isTemplated(object)) throw refusal('NO_REVISION', object, 'it keeps no revisions');
  paused(object, 'undo');
  const target = undoTarget(object, toRevision, objects);
  if (!target) {
    const kept = revisionsOf(object, objects)
      .map(({ revision }) => revision)
      .join(', ');
    throw refusal(
      'NO_REVISION',
      object,
      toRevision
        ? `there is no revision ${toRevision}; kept are ${kept}`
        : 'there is no revision before this one',
    );
  }
  const { folder: _folder, ...rest } = withSpec(withCause(object, target), { template: target.template });
  return { ...rest, ...(target.folder === undefined ? {} : { folder: target.folder }) } as Stored;
}

const CHANGE_CAUSE = 'kubernetes.io/change-cause';

/** A Deployment says again why it once became so. Source: rollback.go, DeploymentRollbacker */
function withCause(object: Templated, { cause }: Revision): Templated {
  if (object.kind !== 'Deployment') return object;
  const { [CHANGE_CAUSE]: _present, ...others } = object.metadata.annotations ?? {};
  const annotations = { ...others, ...(cause === undefined ? {} : { [CHANGE_CAUSE]: cause }) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function refusal(code: string, { kind, metadata }: Stored, why: string): CodedError {
  return new CodedError(code, `${kind} "${metadata.name}" in namespace ${metadata.namespace}: ${why}`, {
    status: 422,
  });
}
