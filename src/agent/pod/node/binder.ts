import type { PodSpec } from '../../../model/kubernetes.ts';
import type { Clock } from '../../../util/clock.ts';
import type { PodRecord } from '../pod-record.ts';
import { isTerminal } from '../status/phase.ts';
import { graceMsOf } from '../worker/decision.ts';
import type { PodWorker } from '../worker/pod-worker.ts';
import type { SchedulableNode } from './placement.ts';
import type { PlacedPod } from './schedulable-pod.ts';
import { schedule } from './schedule.ts';

export interface BinderOptions {
  readonly clock: Clock;
  readonly node: () => SchedulableNode;
  readonly workers: () => Iterable<PodWorker>;
  /** Why the node does not take a pod for which it has a place; undefined: it does. */
  readonly rejection: (spec: PodSpec) => { readonly reason: string; readonly message: string } | undefined;
}

/** Gives pods their place on the node, or says why there is none. */
export interface Binder {
  /** Looks again, right after what is under way: pods came or went, or the node changed. */
  look(): void;
}

const asPlaced = ({ ref, spec, startup, labels = {} }: PodRecord): PlacedPod => ({
  uid: ref.uid,
  name: ref.name,
  namespace: ref.namespace,
  labels,
  spec,
  createdAt: startup.createdAt,
});

export function createBinder({ clock, node, workers, rejection }: BinderOptions): Binder {
  let asked = false;

  function look(): void {
    const all = new Map([...workers()].map((worker) => [worker.pod.ref.uid, worker]));
    const alive = [...all.values()].filter(({ pod }) => !isTerminal(pod.phase));
    const waiting = alive.filter(({ pod }) => pod.startup.scheduledAt === undefined && !pod.deletion);
    if (waiting.length === 0) return;
    const placed = alive
      .filter(({ pod }) => pod.startup.scheduledAt !== undefined)
      .map(({ pod }) => ({ ...asPlaced(pod), leaving: pod.deletion !== undefined }));
    for (const step of schedule(
      waiting.map(({ pod }) => asPlaced(pod)),
      node(),
      placed,
    )) {
      const worker = all.get(step.uid)!;
      if (step.kind === 'bind') worker.bind(rejection(worker.pod.spec));
      else worker.refuse(step.message);
      if (step.kind !== 'preempt') continue;
      for (const uid of step.victims) makeRoom(all.get(uid)!, worker.pod);
    }
  }

  /** Source: kubernetes/pkg/scheduler/framework/preemption, prepareCandidate */
  function makeRoom(victim: PodWorker, { ref }: PodRecord): void {
    const message = `Preempted by pod ${ref.uid} on node ${ref.node}`;
    const words = `Pod ${ref.namespace}/${ref.name} of higher priority needs its place`;
    victim.disrupt('PreemptionByScheduler', { reason: 'Preempted', message: `${message}: ${words}` });
    victim.delete(graceMsOf(victim.pod), { by: 'eviction', message: words, at: clock.now() });
  }

  return {
    look() {
      if (asked) return;
      asked = true;
      queueMicrotask(() => {
        asked = false;
        look();
      });
    },
  };
}
