/** A pod of a Deployment, as far as the Deployment cares. */
export interface ReplicaPod {
  readonly uid: string;
  /** Made from the template as it is now. */
  readonly current: boolean;
  readonly ready: boolean;
  readonly deleting: boolean;
  /** Succeeded or Failed: it counts no more. */
  readonly ended: boolean;
  readonly createdAt: number;
}

export interface DeploymentDecision {
  readonly create: number;
  readonly delete: readonly { readonly uid: string; readonly why: 'scale' | 'rollout' | 'ended' }[];
}

/**
 * What a Deployment needs now: as many pods as it wants, and pods of an older template replaced one by one, an
 * unready one at once, a ready one only while every current pod is ready. Never more pods than wanted.
 */
export function decideDeployment(replicas: number, pods: readonly ReplicaPod[]): DeploymentDecision {
  const ended = pods.filter((pod) => pod.ended && !pod.deleting);
  const live = pods.filter((pod) => !pod.ended && !pod.deleting);
  const gone = ended.map(({ uid }) => ({ uid, why: 'ended' as const }));
  if (live.length > replicas) {
    const excess = [...live].sort(firstToGo).slice(0, live.length - replicas);
    return { create: 0, delete: [...gone, ...excess.map(({ uid }) => ({ uid, why: 'scale' as const }))] };
  }
  if (live.length < replicas) return { create: replicas - live.length, delete: gone };
  const old = live.filter((pod) => !pod.current).sort(firstToGo)[0];
  const settled = live.every((pod) => pod.ready || !pod.current) && !pods.some((pod) => pod.deleting);
  const replace = old !== undefined && (settled || (!old.ready && !pods.some((pod) => pod.deleting)));
  return { create: 0, delete: replace ? [...gone, { uid: old.uid, why: 'rollout' }] : gone };
}

/** Older templates first, then what is not ready, then the youngest. Source: pkg/controller, ActivePodsWithRanks */
function firstToGo(a: ReplicaPod, b: ReplicaPod): number {
  return (
    Number(a.current) - Number(b.current) || Number(a.ready) - Number(b.ready) || b.createdAt - a.createdAt
  );
}
