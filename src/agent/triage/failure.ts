import { causeOf } from '../../model/cause.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { Death } from './death.ts';

/** A verdict whose failure mode is that of its cause; it says its own only where it differs. */
export type Finding = Omit<Verdict, 'failureMode'> & Partial<Pick<Verdict, 'failureMode'>>;

/** One way for a container to die: looks at the facts and says what it finds, or undefined when it does not hold. */
export type FailureOf = (death: Death) => Finding | undefined;

/** What is wrong for a reason nobody knows is a crash. */
const UNKNOWN_MODE = 'F1';

export function toVerdict(finding: Finding): Verdict {
  const { cause } = finding;
  const own = cause === 'Unknown' ? UNKNOWN_MODE : (causeOf(cause)?.failureMode ?? null);
  return { ...finding, failureMode: finding.failureMode ?? own };
}
