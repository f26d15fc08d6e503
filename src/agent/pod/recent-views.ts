import type { Clock } from '../../util/clock.ts';
import type { PodRecord } from './pod-record.ts';
import { podView } from './status/pod-view.ts';
import type { PodView } from './view.ts';

/** Views for those who look at all pods each second: of a pod that has not changed, the same object as before. */
export interface RecentViews {
  of(pod: PodRecord): PodView;
  /** The pod may have changed, or is gone. */
  changed(uid: string): void;
}

/** Counts of probes change a record without a word; a view is so old at most. */
const MOST_AGE_MS = 10_000;

export function createRecentViews(hostIp: string, clock: Clock): RecentViews {
  const known = new Map<string, { readonly view: PodView; readonly madeAt: number }>();
  return {
    of(pod) {
      const { uid } = pod.ref;
      const before = known.get(uid);
      if (before && clock.monotonic() - before.madeAt < MOST_AGE_MS) return before.view;
      const view = podView(pod, hostIp, clock.now());
      // How long it has backed off for is another number at each look.
      const isConstant = pod.containers.every(({ backingOff }) => backingOff === undefined);
      if (isConstant) known.set(uid, { view, madeAt: clock.monotonic() });
      return view;
    },
    changed: (uid) => void known.delete(uid),
  };
}
