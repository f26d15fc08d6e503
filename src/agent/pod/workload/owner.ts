import type { ObjectMeta, OwnerReference } from '../../../model/kubernetes.ts';

/** The object that looks after this one, if any. Source: apimachinery meta/v1/controller_ref.go, GetControllerOf */
export const controllerOf = (metadata: Pick<ObjectMeta, 'ownerReferences'>): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller === true);

/** Source: apimachinery meta/v1/controller_ref.go, NewControllerRef */
export function ownerReference(owner: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Pick<ObjectMeta, 'name' | 'uid'>;
}): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}
