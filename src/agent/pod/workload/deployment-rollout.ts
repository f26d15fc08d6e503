import type { Deployment, ReplicaSet } from '../../../model/kubernetes-workload.ts';
import { fenceposts } from './int-or-percent.ts';

/** A ReplicaSet of a Deployment, as far as a rollout cares. */
export interface Replicas {
  readonly name: string;
  /** Pods wanted of it. */
  readonly wanted: number;
  /** Pods of it that are there, and of these those that are available. */
  readonly there: number;
  readonly available: number;
  /** Pods of it that are not over, those on their way out included. */
  readonly running: number;
  readonly createdAt: string;
  /** The Deployment's replicas, and with surge, when this was last scaled. */
  readonly scaledFor?: { readonly desired: number; readonly max: number };
}

export interface RolloutPlan {
  readonly spec: Pick<Deployment['spec'], 'replicas' | 'paused' | 'strategy'>;
  /** Of the present template; undefined when it has to be made. */
  readonly current: Replicas | undefined;
  readonly old: readonly Replicas[];
}

/** How many pods each ReplicaSet shall have from now on; `current` is the one of the present template. */
export interface RolloutStep {
  readonly current?: number;
  readonly old: ReadonlyMap<string, number>;
}

const NOTHING: RolloutStep = { old: new Map() };
const sum = (sets: readonly Replicas[], pick: (set: Replicas) => number) =>
  sets.reduce((so, set) => so + pick(set), 0);
const byAge = (a: Replicas, b: Replicas) =>
  a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.name < b.name ? -1 : 1;

/** Pods beyond the wanted, and missing ones, that a rollout may have. */
export function rolloutBounds(spec: RolloutPlan['spec']): {
  readonly surge: number;
  readonly unavailable: number;
} {
  if (spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 };
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {};
  const { surge, unavailable } = fenceposts(spec.replicas, { maxSurge, maxUnavailable });
  return { surge, unavailable: Math.min(unavailable, spec.replicas) };
}

/**
 * The next step of a Deployment. Asked again after each, it gets from any state to the wanted one.
 * Source: kubernetes/pkg/controller/deployment: sync.go, rolling.go, recreate.go
 */
export function decideRollout(plan: RolloutPlan): RolloutStep {
  const { spec, current, old } = plan;
  const all = current ? [current, ...old] : old;
  const scaling = all.some(
    ({ wanted, scaledFor }) => wanted > 0 && scaledFor !== undefined && scaledFor.desired !== spec.replicas,
  );
  if (spec.paused || scaling) return scale(plan);
  return spec.strategy?.type === 'Recreate' ? recreate(plan) : roll(plan);
}

function recreate({ spec, current, old }: RolloutPlan): RolloutStep {
  const active = old.filter(({ wanted }) => wanted > 0);
  if (active.length > 0) return { old: new Map(active.map(({ name }) => [name, 0])) };
  if (old.some(({ running }) => running > 0)) return NOTHING;
  return current?.wanted === spec.replicas ? NOTHING : { current: spec.replicas, old: new Map() };
}

function roll(plan: RolloutPlan): RolloutStep {
  const { spec, current, old } = plan;
  const { surge } = rolloutBounds(spec);
  const wanted = current?.wanted ?? 0;
  const room = spec.replicas + surge - wanted - sum(old, (set) => set.wanted);
  const next =
    wanted > spec.replicas ? spec.replicas : wanted + Math.max(0, Math.min(room, spec.replicas - wanted));
  if (!current || next !== wanted) return { current: next, old: new Map() };
  return { old: scaledDown(plan, current) };
}

/** Old ReplicaSets give up what is not available first, then as much as the others can spare. */
function scaledDown({ spec, old }: RolloutPlan, current: Replicas): ReadonlyMap<string, number> {
  const left = new Map<string, number>();
  const oldWanted = sum(old, (set) => set.wanted);
  if (oldWanted === 0) return left;
  const least = spec.replicas - rolloutBounds(spec).unavailable;
  let spare = oldWanted + current.wanted - least - (current.wanted - current.available);
  if (spare <= 0) return left;
  const ordered = [...old].sort(byAge);
  const wantedOf = (set: Replicas) => left.get(set.name) ?? set.wanted;
  for (const set of ordered) {
    const unhealthy = Math.min(spare, set.wanted - set.available);
    if (unhealthy <= 0) continue;
    left.set(set.name, set.wanted - unhealthy);
    spare -= unhealthy;
  }
  let excess = current.available + sum(old, (set) => set.available) - least;
  for (const set of ordered) {
    const healthy = Math.min(excess, wantedOf(set));
    if (healthy <= 0) continue;
    left.set(set.name, wantedOf(set) - healthy);
    excess -= healthy;
  }
  return left;
}

/** Of a Deployment that is paused or was scaled in the middle of a rollout: shares keep their proportion. */
function scale({ spec, current, old }: RolloutPlan): RolloutStep {
  const all = [...(current ? [current] : []), ...old];
  const active = all.filter(({ wanted }) => wanted > 0);
  const only =
    active.length === 1
      ? active[0]
      : active.length === 0
        ? (current ?? [...old].sort(byAge).at(-1))
        : undefined;
  if (only) return { ...set(current, only, spec.replicas) };
  if (active.length === 0) return NOTHING;
  const saturated = current && current.wanted === spec.replicas && current.available === spec.replicas;
  if (saturated) return { old: new Map(old.filter(({ wanted }) => wanted > 0).map(({ name }) => [name, 0])) };
  if (spec.strategy?.type === 'Recreate') return NOTHING;
  const { surge } = rolloutBounds(spec);
  const allowed = spec.replicas > 0 ? spec.replicas + surge : 0;
  const toAdd = allowed - sum(active, ({ wanted }) => wanted);
  // The largest first; of equals the newer when growing, the older when shrinking.
  const ordered = [...active].sort((a, b) => b.wanted - a.wanted || (toAdd > 0 ? byAge(b, a) : byAge(a, b)));
  let added = 0;
  const sizes = ordered.map((one) => {
    const fraction = shareOf(one, spec.replicas, allowed);
    const proportion =
      toAdd === 0 || toAdd === added
        ? 0
        : toAdd > 0
          ? Math.min(fraction, toAdd - added)
          : Math.max(fraction, toAdd - added);
    added += proportion;
    return one.wanted + proportion;
  });
  sizes[0] = Math.max(0, sizes[0]! + toAdd - added);
  const step = new Map(ordered.map(({ name }, index) => [name, sizes[index]!]));
  const own = current && step.get(current.name);
  if (current) step.delete(current.name);
  return own === undefined ? { old: step } : { current: own, old: step };
}

function set(current: Replicas | undefined, one: Replicas, replicas: number): RolloutStep {
  if (one === current) return { current: replicas, old: new Map() };
  return { old: new Map([[one.name, replicas]]) };
}

/** Source: deployment/util/deployment_util.go, getReplicaSetFraction */
function shareOf({ wanted, scaledFor }: Replicas, desired: number, max: number): number {
  if (desired === 0) return -wanted;
  return Math.round((wanted * max) / (scaledFor?.max ?? max)) - wanted;
}

/** A ReplicaSet as a rollout sees it. */
export function replicasOf(replicaSet: ReplicaSet, status: ReplicaSet['status'], running: number): Replicas {
  const { annotations = {}, name, creationTimestamp } = replicaSet.metadata;
  const desired = Number(annotations[DESIRED]);
  const max = Number(annotations[MAX]);
  return {
    name,
    wanted: replicaSet.spec.replicas,
    there: status.replicas,
    available: status.availableReplicas,
    running,
    createdAt: creationTimestamp,
    ...(Number.isInteger(desired) && Number.isInteger(max) && annotations[DESIRED] !== undefined
      ? { scaledFor: { desired, max } }
      : {}),
  };
}

// Source: deployment/util/deployment_util.go
export const REVISION = 'deployment.kubernetes.io/revision';
export const DESIRED = 'deployment.kubernetes.io/desired-replicas';
export const MAX = 'deployment.kubernetes.io/max-replicas';
