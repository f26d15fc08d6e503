import type { Verdict } from '../../model/verdict.ts';
import { verdictSignals } from '../../wire/catalogue/life.ts';
import type { Point } from '../../wire/catalogue/signal.ts';
import type { PodView } from '../pod/view.ts';
import { ofPod, point } from './point.ts';

/** One point for a pod that something is wrong with. */
export function verdictPoints(view: PodView, verdict: Verdict | undefined): readonly Point[] {
  if (!verdict || verdict.cause === 'None') return [];
  const { cause, failureMode, confidence } = verdict;
  return [point(verdictSignals.verdict, ofPod(view).concat(cause, failureMode ?? '', confidence), 1)];
}
