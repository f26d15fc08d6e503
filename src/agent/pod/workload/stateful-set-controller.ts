import type { Stored } from '../object-store.ts';
import { earliest, nextAvailableAt } from './availability.ts';
import { claimsOf, goesWithPod, ordinalsOfSet } from './claim-retention.ts';
import type { Reconcile } from './control-loop.ts';
import type { ControllerContext } from './controller.ts';
import { canonicalJson } from './pod-names.ts';
import { forgetRevisions, keepRevision, REVISION_LABEL } from './revisions.ts';
import {
  decideStatefulSet,
  memberSpec,
  ordinalOf,
  type StatefulDecision,
  statefulSetStatus,
} from './stateful-set.ts';

/** Looks after StatefulSets: pods with stable names, in order. */
export function createStatefulSetController(context: ControllerContext): Reconcile {
  const { objects, clock } = context;

  /** Source: stateful_set_utils.go, newStatefulSetPod and updateIdentity */
  function create(set: Stored<'StatefulSet'>, ordinal: number, revision: string): void {
    const { namespace, name: setName } = set.metadata;
    const name = `${setName}-${ordinal}`;
    const kept = objects.get('ControllerRevision', namespace, revision);
    const { metadata, spec } = kept?.data.spec.template ?? set.spec.template;
    const { annotations } = metadata ?? {};
    context.createPod({
      owner: set,
      spec: memberSpec(set, spec, ordinal),
      metadata: {
        name,
        namespace,
        labels: {
          ...metadata?.labels,
          [REVISION_LABEL]: revision,
          'statefulset.kubernetes.io/pod-name': name,
          'apps.kubernetes.io/pod-index': String(ordinal),
        },
        ...(annotations && { annotations }),
      },
    });
  }

  const WHY: Readonly<Record<StatefulDecision['delete'][number]['why'], (name: string) => string>> = {
    scale: (name) => `Scaled down by StatefulSet ${name}`,
    rollout: (name) => `Replaced by a newer template of StatefulSet ${name}`,
    ended: (name) => `Ended, and made anew by StatefulSet ${name}`,
  };

  return (namespace, name) => {
    const set = objects.get('StatefulSet', namespace, name);
    if (!set) return undefined;
    const update = keepRevision(context, set).metadata.name;
    const current = set.status.currentRevision || update;
    const podsNow = () => context.podsOf(set.metadata.uid);
    const decision = decideStatefulSet(set, { current, update }, podsNow(), clock.now());
    for (const { pod, why } of decision.delete) {
      const ordinal = ordinalOf(name, pod.ref.name);
      // Before the pod goes, so that no agent can forget it.
      if (why === 'scale' && goesWithPod(set, ordinal)) context.condemnClaims(set, claimsOf(set, ordinal));
      context.deletePod(pod, { by: 'rollout', message: WHY[why](name) });
    }
    for (const { ordinal, revision } of decision.create) create(set, ordinal, revision);
    const pods = podsNow();
    const status = statefulSetStatus(set, update, pods, clock.now());
    const { claimOrdinals: before, ...rest } = set;
    const claimOrdinals = ordinalsOfSet(set, before, pods);
    if (canonicalJson(status) !== canonicalJson(set.status) || claimOrdinals !== before)
      objects.mark({ ...rest, status, ...(claimOrdinals && { claimOrdinals }) });
    forgetRevisions(context, set, pods, [status.currentRevision, update]);
    return earliest(
      decision.wakeAt,
      context.createFailure(set.metadata.uid)?.retryAt,
      nextAvailableAt(pods, set.spec.minReadySeconds, clock.now()),
    );
  };
}
