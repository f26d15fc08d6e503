import type { Stored } from '../object-store.ts';
import { apiTime, type PodRecord } from '../pod-record.ts';
import type { ControllerContext } from './controller.ts';
import { ownerReference } from './owner.ts';
import { derivedUid, templateHash } from './pod-names.ts';

export const REVISION_LABEL = 'controller-revision-hash';

type Owner = Stored<'StatefulSet' | 'DaemonSet'>;

/** The name and hash of the revision that is the present template. */
export function revisionName({ metadata, spec, folder }: Owner): {
  readonly name: string;
  readonly hash: string;
} {
  // The manifest's folder decides what a relative command runs: moving it is a change of the template.
  const hash = templateHash([spec.template, folder ?? null]);
  return { name: `${metadata.name}-${hash}`, hash };
}

/** Keeps the present template as the newest revision. Source: kubernetes/pkg/controller/history, controller_history.go */
export function keepRevision(
  { objects, clock }: ControllerContext,
  owner: Owner,
): Stored<'ControllerRevision'> {
  const { namespace, uid, annotations } = owner.metadata;
  const { name, hash } = revisionName(owner);
  const known = objects.get('ControllerRevision', namespace, name);
  const newest = Math.max(
    0,
    ...objects
      .ownedBy('ControllerRevision', uid)
      .filter((revision) => revision !== known)
      .map(({ revision }) => revision),
  );
  if (known && known.revision > newest) return known;
  const cause = annotations?.['kubernetes.io/change-cause'];
  const kept: Stored<'ControllerRevision'> = known
    ? { ...known, revision: newest + 1 }
    : {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: {
          name,
          namespace,
          uid: derivedUid(`${uid}/${name}`),
          creationTimestamp: apiTime(clock.now()),
          labels: { ...owner.spec.template.metadata?.labels, [REVISION_LABEL]: hash },
          ...(cause === undefined ? {} : { annotations: { 'kubernetes.io/change-cause': cause } }),
          ownerReferences: [ownerReference(owner)],
        },
        revision: newest + 1,
        data: { spec: { template: owner.spec.template } },
        ...(owner.folder === undefined ? {} : { folder: owner.folder }),
      };
  void objects.put(kept);
  return kept;
}

/** Forgets the oldest revisions beyond the history that no pod and no status speaks of. */
export function forgetRevisions(
  context: ControllerContext,
  owner: Owner,
  pods: readonly PodRecord[],
  alive: readonly string[],
): void {
  const { metadata, spec } = owner;
  const isUsed = ({ metadata: { name } }: Stored<'ControllerRevision'>) =>
    alive.includes(name) ||
    pods.some(({ labels }) => {
      const label = labels?.[REVISION_LABEL];
      return label !== undefined && (label === name || `${metadata.name}-${label}` === name);
    });
  const unused = context.objects
    .ownedBy('ControllerRevision', metadata.uid)
    .filter((revision) => !isUsed(revision))
    .sort((a, b) => a.revision - b.revision);
  const limit = spec.revisionHistoryLimit ?? 10;
  for (const revision of unused.slice(0, Math.max(0, unused.length - limit))) {
    const { kind, namespace, name } = { kind: revision.kind, ...revision.metadata };
    void context.objects.remove(kind, namespace, name);
  }
}
