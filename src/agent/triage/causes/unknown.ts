import { exitFact, lastLogFacts, oomCounterFact } from '../citation.ts';
import type { Death } from '../death.ts';
import type { Finding } from '../failure.ts';
import { describePod, previousLog } from '../next-step.ts';
import { exitWords } from '../words.ts';

/** The facts do not decide: says how it ended, and what is missing to know why. */
export function unknown(death: Death): Finding {
  const { life } = death;
  const silent = life.log.every(({ text }) => text.trim() === '');
  const counter = oomCounterFact(death);
  return {
    cause: 'Unknown',
    confidence: 'unknown',
    summary: `Container ${life.container} exits with code ${life.exitCode}${exitWords(life.exitCode)} and ${silent ? 'logs nothing' : 'its last log lines do not say why'}; what is missing is ${silent ? 'a log line that names' : 'a line that names'} the error.`,
    evidence: [exitFact(death), ...(counter ? [counter] : []), ...lastLogFacts(death)],
    next: [
      previousLog(life.pod, life.container),
      describePod(life.pod, 'see its command, settings and recent events'),
    ],
  };
}
