import { startupSignals } from '../../wire/catalogue/life.ts';
import type { Point } from '../../wire/catalogue/signal.ts';
import type { PodView } from '../pod/view.ts';
import { ofPod, point } from './point.ts';

/** The stages of a pod's start that are over; each begins where the one before it ended. */
export function startupPoints(view: PodView): readonly Point[] {
  const { createdAt, scheduledAt, pulledAt, initializedAt, startedAt, readyAt } = view.startup;
  const ends = {
    schedule: scheduledAt,
    pull: pulledAt,
    init: initializedAt,
    start: startedAt,
    ready: readyAt,
  };
  const points: Point[] = [];
  let begin = createdAt;
  for (const [stage, end] of Object.entries(ends)) {
    if (end === undefined) continue;
    points.push(point(startupSignals.stage, [...ofPod(view), stage], Math.max(0, end - begin) / 1000));
    begin = Math.max(begin, end);
  }
  return points;
}
