import type { Verdict } from '../../model/verdict.ts';
import type { Death } from './death.ts';

/** One way for a container to die: looks at the facts and gives its verdict, or undefined when it does not hold. */
export type FailureOf = (death: Death) => Verdict | undefined;
