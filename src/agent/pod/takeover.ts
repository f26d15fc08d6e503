import type { KeyValue } from './key-value.ts';
import type { PodRecord } from './pod-record.ts';
import type { PodSet } from './pod-set.ts';
import type { Adopted, ContainerExit, Runtime } from './runtime/runtime.ts';
import type { Inheritance } from './worker/adoption.ts';
import { podKey } from './worker/worker-context.ts';
import type { Workloads } from './workload/workloads.ts';
import type { WriteBehind } from './write-behind.ts';

export interface TakeoverOptions {
  readonly runtime: Runtime;
  readonly keyValue: KeyValue;
  readonly writer: WriteBehind;
  readonly pods: PodSet;
  readonly workloads: Workloads;
  /** Until when the agent before was there. */
  readonly aliveAt: () => number;
  readonly onError: (error: unknown) => void;
}

/**
 * Takes over what an earlier agent left: its pods from their records, with their counts, and what the runtime still has of
 * them; what belongs to nobody is removed. Deaths that nobody saw are told in the order of their time, and those that come
 * meanwhile after them. Returns the unsubscribe function of what is told from then on.
 */
export async function takeOver(options: TakeoverOptions): Promise<() => void> {
  const { runtime, keyValue, writer, pods, workloads, onError } = options;
  const exited = (exit: ContainerExit) => pods.worker(exit.podUid)?.exited(exit);
  const early: ContainerExit[] = [];
  let taken = false;
  const unsubscribe = runtime.onExit((exit) => void (taken ? exited(exit) : early.push(exit)));
  const adopted = await runtime.adopt();
  const aliveAt = options.aliveAt();
  for (const [, value] of keyValue.entries(podKey(''))) {
    const pod = value as PodRecord;
    if (!workloads.hasFolded(pod)) pods.add(pod);
    else await writer.remove(podKey(pod.ref.uid));
  }
  for (const { podUid } of adopted.sandboxes) {
    if (!pods.worker(podUid)) await runtime.removeSandbox(podUid).catch(onError);
  }
  const inherited = pods
    .workers()
    .map((worker) => [worker, inheritanceOf(worker.pod, adopted, aliveAt)] as const);
  const unseen = inherited.flatMap(([worker, inheritance]) => worker.unseen(inheritance));
  for (const { tell } of unseen.sort((a, b) => a.at - b.at)) tell();
  for (const [worker, inheritance] of inherited) worker.takeOver(inheritance);
  taken = true;
  for (const exit of early) exited(exit);
  return unsubscribe;
}

/** One pod's part of what the runtime found left behind. */
function inheritanceOf(pod: PodRecord, adopted: Adopted, aliveAt: number): Inheritance {
  const own = ({ podUid }: { readonly podUid: string }) => podUid === pod.ref.uid;
  return {
    sandbox: adopted.sandboxes.find(own),
    running: adopted.running.filter(own),
    exits: adopted.exits.filter(own),
    aliveAt,
  };
}
