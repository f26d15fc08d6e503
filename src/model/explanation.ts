import { causeOf } from './cause.ts';
import type { Evidence } from './evidence.ts';
import { type PodSource, stepFor } from './source-command.ts';
import type { NextStep, Verdict } from './verdict.ts';

/** A verdict as a good colleague would tell it. */
export interface Explanation {
  /** What is wrong and why, in one sentence. */
  readonly sentence: string;
  /** What shows it, in the order it happened; at most six. */
  readonly facts: readonly Evidence[];
  /** How many more there are. */
  readonly moreFacts: number;
  readonly changed: readonly Evidence[];
  /** The advice for this cause, then what to type. */
  readonly now: string | undefined;
  readonly next: readonly NextStep[];
  readonly forGood: string | undefined;
}

const MOST_FACTS = 6;
/** How facts begin that tell of a change. */
const CHANGE =
  /^(?:since the last life that was well|since pod \S{1,253}, which is well|changed |a rollout|the rollout|revision )/;

/** Pure; keeps the deciding facts, which a verdict has first, and puts them in the order of their times. */
export function explain(verdict: Verdict, source: PodSource = 'podvitals'): Explanation {
  const cause = causeOf(verdict.cause);
  const [changed, others] = [
    verdict.evidence.filter(({ fact }) => CHANGE.test(fact)),
    verdict.evidence.filter(({ fact }) => !CHANGE.test(fact)),
  ];
  return {
    sentence: verdict.summary,
    facts: others.slice(0, MOST_FACTS).sort((a, b) => Date.parse(a.at) - Date.parse(b.at)),
    moreFacts: Math.max(0, others.length - MOST_FACTS),
    changed,
    now: cause?.now,
    next: verdict.next.map((step) => stepFor(step, source)),
    forGood: cause?.forGood,
  };
}
