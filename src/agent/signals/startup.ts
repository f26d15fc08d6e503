import { startupSignals } from '../../wire/catalogue/life.ts';
import type { Point } from '../../wire/catalogue/signal.ts';
import { startupStages } from '../pod/startup-stages.ts';
import type { PodView } from '../pod/view.ts';
import { ofPod, point } from './point.ts';

/** How long the stages of a pod's start took that are over. */
export function startupPoints(view: PodView): readonly Point[] {
  return startupStages(view.startup).map(({ name, startMs, endMs }) =>
    point(startupSignals.stage, ofPod(view).concat(name), (endMs - startMs) / 1000),
  );
}
