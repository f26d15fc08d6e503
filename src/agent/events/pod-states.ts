import type { PodState } from '../../model/record.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { CancelTimer, Clock } from '../../util/clock.ts';
import type { PodView } from '../pod/view.ts';
import { redactObject } from '../redaction/redaction.ts';
import { recordId } from './record-id.ts';

/** At most one state a second and pod; what changes in between is told at its end. */
const QUIET_MS = 1000;
/** A verdict whose cause is the same is told again at most so often, for its times and numbers. */
const REFRESH_MS = 30_000;

export interface PodStatesOptions {
  readonly clock: Clock;
  readonly diagnose: (view: PodView) => Verdict;
  readonly emit: (state: PodState) => void;
}

/** One pod's object and verdict, told when they change. */
export interface PodStates {
  /** The pod may have changed; told now, or within the second. */
  changed(view: PodView): void;
  /** Looks again whether time alone has changed the verdict. */
  look(): void;
  /** As `changed`, without waiting: a verdict travels with the life it comes from. */
  state(view: PodView): PodState;
  /** The last one of a pod that is gone; `known` is a view from before a restart. */
  deleted(known?: PodView): PodState | undefined;
  readonly verdict: Verdict | undefined;
  readonly view: PodView | undefined;
  close(): void;
}

export function createPodStates({ clock, diagnose, emit }: PodStatesOptions): PodStates {
  let view: PodView | undefined;
  let verdict: Verdict | undefined;
  let told: { readonly object: string; readonly verdict: Verdict; readonly at: number } | undefined;
  /** The newest view that says what was told. */
  let toldView: PodView | undefined;
  let cancel: CancelTimer | undefined;

  const toState = (of: PodView, deleted: boolean): PodState => {
    const at = clock.now();
    const object = redactObject(of.object);
    verdict = diagnose(of);
    told = { object: JSON.stringify(of.object), verdict, at };
    toldView = of;
    return {
      id: recordId(of.ref.uid, 'state', at, told.object, deleted ? 1 : 0),
      at,
      pod: of.ref,
      object,
      verdict,
      deleted,
    };
  };
  const isNews = (of: PodView): boolean => {
    if (told === undefined) return true;
    if (of !== toldView && JSON.stringify(of.object) !== told.object) return true;
    toldView = of;
    const now = diagnose(of);
    if (now.cause !== told.verdict.cause || now.confidence !== told.verdict.confidence) return true;
    return now.summary !== told.verdict.summary && clock.now() - told.at >= REFRESH_MS;
  };
  const tell = () => {
    cancel = undefined;
    if (view && isNews(view)) emit(toState(view, false));
  };
  const changed = (of: PodView) => {
    view = of;
    if (cancel) return;
    const wait = told === undefined ? 0 : told.at + QUIET_MS - clock.now();
    if (wait <= 0 || wait > QUIET_MS) tell();
    else cancel = clock.setTimer(wait, tell, { unref: true });
  };
  const close = () => {
    cancel?.();
    cancel = undefined;
  };
  return {
    changed,
    look() {
      if (view) changed(view);
    },
    state(of) {
      view = of;
      close();
      return toState(of, false);
    },
    deleted(known) {
      close();
      const last = view ?? known;
      if (!last) return undefined;
      // What was wrong with it stays said: that it was deleted is told by `deleted`.
      const { deletionAt: _, ...gone } = last;
      return toState(gone, true);
    },
    get verdict() {
      return verdict;
    },
    get view() {
      return view;
    },
    close,
  };
}
