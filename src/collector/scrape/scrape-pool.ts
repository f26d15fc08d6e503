import { type Label, type Labels, toLabels } from '../../model/labels.ts';
import { CodedError, isCodedError } from '../../util/coded-error.ts';
import { compileRelabels } from './relabel.ts';
import type { TargetGroup } from './scrape-config.ts';
import { type ScrapeLoop, type ScrapeLoopOptions, startScrapeLoop } from './scrape-loop.ts';
import { type Target, toTarget } from './target.ts';

/** The targets of one scrape config, each with its loop. */
export interface ScrapePool {
  readonly jobName: string;
  /** Starts what is new, ends what is gone; what is the same goes on undisturbed. */
  sync(groups: readonly TargetGroup[]): void;
  active(): readonly ScrapeLoop[];
  /** Discovered, and dropped by relabelling: how many, and the labels of the first thousands. */
  dropped(): { readonly count: number; readonly discoveredLabels: readonly Labels[] };
  stop(): Promise<void>;
}

export type ScrapePoolOptions = Omit<ScrapeLoopOptions, 'metricRelabel'>;

const MOST_TARGETS = 10_000;
const MOST_DROPPED_SHOWN = 10_000;

export function createScrapePool(options: ScrapePoolOptions): ScrapePool {
  const { config, onTrouble } = options;
  const relabel = compileRelabels(config.relabel);
  const metricRelabel = compileRelabels(config.metricRelabel);
  const loops = new Map<string, ScrapeLoop>();
  // Removed, with stale markers still to write.
  const ending = new Set<ScrapeLoop>();
  let dropped: { count: number; discoveredLabels: Labels[] } = { count: 0, discoveredLabels: [] };

  const discover = (groups: readonly TargetGroup[]): Map<string, Target> => {
    const wanted = new Map<string, Target>();
    dropped = { count: 0, discoveredLabels: [] };
    for (const discovered of discoveredLabels(groups)) {
      try {
        const { target, discoveredLabels } = toTarget(discovered, config, relabel);
        if (target === undefined) {
          dropped.count += 1;
          if (dropped.count <= MOST_DROPPED_SHOWN) dropped.discoveredLabels.push(discoveredLabels);
        } else if (wanted.size < MOST_TARGETS) {
          wanted.set(target.key, target);
        } else {
          throw new CodedError(
            'TARGET_LIMIT',
            `the job ${config.jobName} has more than ${MOST_TARGETS} targets; split it by hashmod, or keep fewer`,
          );
        }
      } catch (error) {
        if (!isCodedError(error)) throw error;
        onTrouble(error);
      }
    }
    return wanted;
  };

  return {
    jobName: config.jobName,
    sync(groups) {
      const wanted = discover(groups);
      for (const [key, loop] of loops) {
        const target = wanted.get(key);
        if (target !== undefined) {
          loop.target = target;
          continue;
        }
        loops.delete(key);
        ending.add(loop);
        loop.remove().finally(() => ending.delete(loop));
      }
      for (const [key, target] of wanted)
        if (!loops.has(key)) loops.set(key, startScrapeLoop(target, { ...options, metricRelabel }));
    },
    active: () => [...loops.values()],
    dropped: () => dropped,
    async stop() {
      await Promise.all([...loops.values(), ...ending].map((loop) => loop.abort()));
    },
  };
}

function* discoveredLabels(groups: readonly TargetGroup[]): Generator<Labels> {
  for (const group of groups) {
    const shared: Label[] = Object.entries(group.labels);
    for (const address of group.targets) yield toLabels([...shared, ['__address__', address]]);
  }
}
