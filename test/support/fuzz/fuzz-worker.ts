import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, inputOf, shrunk } from './target.ts';
import { TARGETS } from './targets.ts';

/** What `run-target.ts` starts: one target's inputs in a thread of their own, which can be ended when one hangs. */
export interface WorkerTask {
  readonly target: string;
  readonly seed: number;
  readonly inputs: number;
  /** [0] is the index of the input at work, for whoever watches. */
  readonly progress: Int32Array<SharedArrayBuffer>;
}

const { target: name, seed, inputs, progress } = workerData as WorkerTask;
const target = TARGETS.find((one) => one.name === name)!;
let failed = 0;
let first: { readonly index: number; readonly why: string; readonly input: string | Uint8Array } | undefined;
for (let index = 0; index < inputs; index += 1) {
  Atomics.store(progress, 0, index);
  const input = inputOf(target, seed, index);
  const why = await failureOf(target, input);
  if (why === undefined) continue;
  failed += 1;
  first ??= { index, why, input: await shrunk(target, input) };
}
parentPort!.postMessage({ failed, first });
