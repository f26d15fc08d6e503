import type { Clock } from '../../util/clock.ts';
import type { PodRecord } from './pod-record.ts';
import { podView } from './status/pod-view.ts';
import type { PodView } from './view.ts';

/** Views for those who look at all pods each second: of a pod that has not changed, the same object as before. */
export interface RecentViews {
  /** Counts of probes may be ten seconds old. */
  of(pod: PodRecord): PodView;
  /** As the pod is now. */
  exact(pod: PodRecord): PodView;
  /** The pod may have changed, or is gone. */
  changed(uid: string): void;
}

/** Counts of probes change a record without a word. */
const MOST_AGE_MS = 10_000;

export function createRecentViews(hostIp: string, clock: Clock): RecentViews {
  const known = new Map<string, { readonly view: PodView; readonly madeAt: number }>();
  const make = (pod: PodRecord) => {
    const view = podView(pod, hostIp, clock.now());
    // How long it has backed off for is another number at each look.
    const isConstant = pod.containers.every(({ backingOff }) => backingOff === undefined);
    if (isConstant) known.set(pod.ref.uid, { view, madeAt: clock.monotonic() });
    return view;
  };
  return {
    of(pod) {
      const before = known.get(pod.ref.uid);
      const holds = before && (!isProbed(pod) || clock.monotonic() - before.madeAt < MOST_AGE_MS);
      return holds ? before.view : make(pod);
    },
    exact: (pod) => (isProbed(pod) ? undefined : known.get(pod.ref.uid)?.view) ?? make(pod),
    changed: (uid) => void known.delete(uid),
  };
}

function isProbed({ containers }: PodRecord): boolean {
  for (const { probes } of containers) for (const _ in probes) return true;
  return false;
}
