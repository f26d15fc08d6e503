import type { NumberPoint, Signal } from '../../wire/catalogue/signal.ts';
import type { PodView } from '../pod/view.ts';

/**
 * A value of a signal; `labels` in the order of `signal.labels`. Lists of them are best made by `concat`: one made by
 * spreading has room for many more, and they are kept.
 */
export function point(
  signal: Signal,
  labels: readonly string[],
  value: number,
  startMs?: number,
): NumberPoint {
  return startMs === undefined ? { signal, labels, value } : { signal, labels, value, startMs };
}

/** A value that may be missing: then there is no point, never a 0. */
export function measured(
  signal: Signal,
  labels: readonly string[],
  value: number | undefined,
  startMs?: number,
): readonly NumberPoint[] {
  return value === undefined ? [] : [point(signal, labels, value, startMs)];
}

/** One point for each value a label can have: 1 for the one that holds, 0 for the others. */
export function oneHot(
  signal: Signal,
  labels: readonly string[],
  values: readonly string[],
  current: string,
): readonly NumberPoint[] {
  return values.map((value) => point(signal, labels.concat(value), value === current ? 1 : 0));
}

/** The first labels of every series about a pod: namespace, pod, uid. */
export const ofPod = (view: PodView): readonly string[] => [view.ref.namespace, view.ref.name, view.ref.uid];

/** Unix time in seconds of an RFC 3339 time; undefined when there is none. */
export function unixSeconds(time: string | undefined): number | undefined {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}
