import type { Stored } from '../object-store.ts';
import { isTerminal } from '../status/phase.ts';
import { earliest, isActive, nextAvailableAt } from './availability.ts';
import type { Reconcile } from './control-loop.ts';
import type { ControllerContext } from './controller.ts';
import {
  annotated,
  beyondHistory,
  newReplicaSet,
  replicaSetName,
  resized,
  revisionOf,
} from './deployment.ts';
import { decideRollout, REVISION, type RolloutStep, replicasOf } from './deployment-rollout.ts';
import { deploymentStatus, isComplete, progressDeadlineAt } from './deployment-status.ts';
import { canonicalJson } from './pod-names.ts';
import { replicaSetStatus } from './replica-set.ts';
import { replicaSetScaled } from './workload-event.ts';

const HISTORY = 10;

/** Looks after Deployments by their ReplicaSets, one step of a rollout at a time. */
export function createDeploymentController(context: ControllerContext): Reconcile {
  const { objects, clock } = context;

  const observe = (replicaSet: Stored<'ReplicaSet'>) => {
    const pods = context.podsOf(replicaSet.metadata.uid);
    const failure = context.createFailure(replicaSet.metadata.uid)?.message;
    const status = replicaSetStatus(replicaSet, pods, clock.now(), failure);
    const running = pods.filter(({ phase }) => !isTerminal(phase)).length;
    return { replicaSet, pods, status, running, replicas: replicasOf(replicaSet, status, running) };
  };

  function put(replicaSet: Stored<'ReplicaSet'>): void {
    void objects.put(replicaSet);
    context.soon('ReplicaSet', replicaSet.metadata.namespace, replicaSet.metadata.name);
  }

  /** Carries a step out; false when there was nothing to do. */
  function take(deployment: Stored<'Deployment'>, step: RolloutStep, revision: number): boolean {
    const { namespace, name } = deployment.metadata;
    const current = replicaSetName(deployment).name;
    const sizes = new Map(step.old);
    if (step.current !== undefined) sizes.set(current, step.current);
    let acted = false;
    for (const [set, replicas] of sizes) {
      const known = objects.get('ReplicaSet', namespace, set);
      const next = known
        ? resized(known, replicas, deployment)
        : newReplicaSet(deployment, replicas, revision, clock.now());
      if (known && canonicalJson(known) === canonicalJson(next)) continue;
      put(next);
      const scaled = replicaSetScaled(set, known?.spec.replicas ?? 0, next.spec.replicas);
      if (scaled) context.tell(deployment, scaled);
      acted = true;
    }
    if (acted) context.soon('Deployment', namespace, name);
    return acted;
  }

  /** The newest template has the highest revision. Source: deployment/sync.go, getNewReplicaSet */
  function numbered(deployment: Stored<'Deployment'>, sets: readonly Stored<'ReplicaSet'>[]): number {
    const { name } = replicaSetName(deployment);
    const current = sets.find(({ metadata }) => metadata.name === name);
    const newest = Math.max(0, ...sets.filter((set) => set !== current).map(revisionOf));
    const own = current ? revisionOf(current) : 0;
    if (current && own <= newest) put(annotated(current, deployment, newest + 1));
    return own > newest ? own : newest + 1;
  }

  return (namespace, name) => {
    const deployment = objects.get('Deployment', namespace, name);
    if (!deployment) return undefined;
    const owned = () => objects.ownedBy('ReplicaSet', deployment.metadata.uid);
    const currentName = replicaSetName(deployment).name;
    const existed = owned().some(({ metadata }) => metadata.name === currentName);
    // A paused Deployment makes no ReplicaSet: its revision stays.
    const revision = existed || !deployment.spec.paused ? numbered(deployment, owned()) : undefined;
    const before = owned().map(observe);
    const step = decideRollout({
      spec: deployment.spec,
      current: before.find(({ replicaSet }) => replicaSet.metadata.name === currentName)?.replicas,
      old: before
        .filter(({ replicaSet }) => replicaSet.metadata.name !== currentName)
        .map(({ replicas }) => replicas),
    });
    const acted = take(deployment, step, revision ?? 1);

    const sets = owned().map(observe);
    const current = sets.find(({ replicaSet }) => replicaSet.metadata.name === currentName);
    const made = current && (existed ? 'found' : 'created');
    const status = deploymentStatus(
      deployment,
      {
        current: current && { name: currentName, status: current.status },
        all: sets.map(({ replicas, status: seen }) => ({ wanted: replicas.wanted, status: seen })),
        ...(made ? { made } : {}),
      },
      clock.now(),
    );
    const annotations =
      current && !(deployment.spec.paused && !existed)
        ? { ...deployment.metadata.annotations, [REVISION]: String(revisionOf(current.replicaSet)) }
        : deployment.metadata.annotations;
    const next = {
      ...deployment,
      metadata: { ...deployment.metadata, ...(annotations && { annotations }) },
      status,
    };
    if (canonicalJson(next) !== canonicalJson(deployment)) objects.mark(next);
    if (!acted && isComplete(deployment, status)) {
      const old = sets.filter((set) => set !== current);
      const running = new Map(old.map((set) => [set.replicaSet, set.running]));
      const limit = deployment.spec.revisionHistoryLimit ?? HISTORY;
      for (const replicaSet of beyondHistory([...running.keys()], (set) => running.get(set)!, limit)) {
        context.deleteObject(replicaSet, {
          by: 'rollout',
          message: `Beyond the history of Deployment ${name}`,
        });
      }
    }
    const pods = sets.flatMap((set) => set.pods.filter(isActive));
    return earliest(
      progressDeadlineAt(next),
      nextAvailableAt(pods, deployment.spec.minReadySeconds, clock.now()),
    );
  };
}
