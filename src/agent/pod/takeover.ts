import type { PodRecord } from './pod-record.ts';
import type { Adopted } from './runtime/runtime.ts';
import type { Inheritance } from './worker/adoption.ts';

/** One pod's part of what the runtime found left behind. */
export function inheritanceOf(pod: PodRecord, adopted: Adopted, aliveAt: number): Inheritance {
  const own = ({ podUid }: { readonly podUid: string }) => podUid === pod.ref.uid;
  return {
    sandbox: adopted.sandboxes.find(own),
    running: adopted.running.filter(own),
    exits: adopted.exits.filter(own),
    aliveAt,
  };
}
