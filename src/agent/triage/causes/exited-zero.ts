import { exitFact, lastLogFacts } from '../citation.ts';
import { type Death, isMeantToRun, livedMs } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { manifestOf, previousLog } from '../next-step.ts';
import { duration } from '../words.ts';

/** Exit 0 of a container that is meant to run for ever: it is started again and again. */
export const exitedZero: FailureOf = (death: Death) => {
  const { life } = death;
  if (life.exitCode !== 0 || life.killRequest !== null || !isMeantToRun(death)) return undefined;
  return {
    cause: 'ExitedZero',
    confidence: 'certain',
    summary: `Container ${life.container} ends without an error (exit code 0) after ${duration(livedMs(death))}, but restartPolicy Always starts it again: work that ends wants restartPolicy OnFailure or a Job; a server must stay in the foreground.`,
    evidence: [exitFact(death), ...lastLogFacts(death)],
    next: [
      manifestOf(
        life.pod,
        'set restartPolicy OnFailure or make it a Job, or keep the server in the foreground',
      ),
      previousLog(life.pod, life.container),
    ],
  };
};
