import { Worker } from 'node:worker_threads';
import type { WorkerTask } from './fuzz-worker.ts';
import { type Input, inputOf, type Target } from './target.ts';

export interface TargetOutcome {
  readonly passed: number;
  readonly failed: number;
  /** The first failure: its index, what went wrong, and the smallest input found that fails too. */
  readonly first?: { readonly index: number; readonly why: string; readonly input: Input };
}

/** What one input may take before it counts as a hang: far more than any takes on a busy machine. */
const LONGEST_INPUT_MS = 20_000;
/** What a target may hold at a time. */
const MEMORY_MIB = 384;

/**
 * Runs `inputs` inputs of one target in a thread, whose memory is bounded and which is ended when an input hangs.
 * Inputs after one that hangs or exhausts the memory count as failed.
 */
export function runTarget(target: Target, seed: number, inputs: number): Promise<TargetOutcome> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const task: WorkerTask = { target: target.name, seed, inputs, progress };
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  return new Promise((resolve) => {
    let seen = -1;
    const end = (outcome: TargetOutcome) => {
      clearInterval(watch);
      void worker.terminate().then(() => resolve(outcome));
    };
    const stoppedAt = (why: string) => {
      const index = progress[0]!;
      end({
        passed: index,
        failed: inputs - index,
        first: { index, why, input: inputOf(target, seed, index) },
      });
    };
    const watch = setInterval(() => {
      const index = Atomics.load(progress, 0);
      if (index === seen) stoppedAt(`still at work after ${LONGEST_INPUT_MS} ms`);
      seen = index;
    }, LONGEST_INPUT_MS);
    worker.on('message', ({ failed, first }: { failed: number; first?: TargetOutcome['first'] }) => {
      end({ passed: inputs - failed, failed, ...(first === undefined ? {} : { first }) });
    });
    worker.on('error', (error) => stoppedAt(error.stack ?? error.message));
  });
}
