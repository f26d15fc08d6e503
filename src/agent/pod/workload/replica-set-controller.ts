import type { Stored } from '../object-store.ts';
import { earliest, nextAvailableAt } from './availability.ts';
import type { Reconcile } from './control-loop.ts';
import type { ControllerContext } from './controller.ts';
import { HASH_LABEL, replicaSetName } from './deployment.ts';
import { controllerOf } from './owner.ts';
import { canonicalJson, podName } from './pod-names.ts';
import { decideReplicas, replicaSetStatus } from './replica-set.ts';

/** Looks after ReplicaSets: as many pods as each wants. */
export function createReplicaSetController(context: ControllerContext): Reconcile {
  const { objects, clock, random } = context;

  function create(replicaSet: Stored<'ReplicaSet'>): void {
    const { name, namespace, labels: own } = replicaSet.metadata;
    const { template } = replicaSet.spec;
    const labels = {
      ...template.metadata?.labels,
      ...(own?.[HASH_LABEL] && { [HASH_LABEL]: own[HASH_LABEL] }),
    };
    const annotations = template.metadata?.annotations;
    context.createPod({
      owner: replicaSet,
      spec: template.spec,
      metadata: { name: podName(name, random), namespace, labels, ...(annotations && { annotations }) },
    });
  }

  /** Why it gives up a pod: its template is out of date, or fewer are wanted. */
  function reason(replicaSet: Stored<'ReplicaSet'>): string {
    const { name, namespace } = replicaSet.metadata;
    const owner = controllerOf(replicaSet.metadata)?.name;
    if (owner === undefined) return `Scaled down by ReplicaSet ${name}`;
    const deployment = objects.get('Deployment', namespace, owner);
    return deployment && replicaSetName(deployment).name !== name
      ? `Replaced by a newer template of Deployment ${owner}`
      : `Scaled down by Deployment ${owner}`;
  }

  return (namespace, name) => {
    const replicaSet = objects.get('ReplicaSet', namespace, name);
    if (!replicaSet) return undefined;
    const podsNow = () => context.podsOf(replicaSet.metadata.uid);
    const decision = decideReplicas(replicaSet.spec.replicas, podsNow(), clock.now());
    for (const { pod, why } of decision.delete) {
      const message =
        why === 'scale' ? reason(replicaSet) : `Ended, and beyond what ReplicaSet ${name} keeps`;
      context.deletePod(pod, { by: 'rollout', message });
    }
    for (let left = decision.create; left > 0; left -= 1) create(replicaSet);
    const pods = podsNow();
    const failure = decision.create > 0 ? context.createFailure(replicaSet.metadata.uid) : undefined;
    const status = replicaSetStatus(replicaSet, pods, clock.now(), failure?.message);
    if (canonicalJson(status) !== canonicalJson(replicaSet.status)) {
      objects.mark({ ...objects.get('ReplicaSet', namespace, name)!, status });
    }
    return earliest(
      decision.wakeAt,
      failure?.retryAt,
      nextAvailableAt(pods, replicaSet.spec.minReadySeconds, clock.now()),
    );
  };
}
