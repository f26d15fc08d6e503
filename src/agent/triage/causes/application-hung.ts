import type { FailureOf } from '../failure.ts';
import { lastSuccessFact, probeKillOf, probeKillVerdict, throttledFacts } from '../probe-kill.ts';
import { duration } from '../words.ts';

/** It runs, and does not answer any more, or calls itself unhealthy: killing it is what the probe is for. */
export const applicationHung: FailureOf = (death) => {
  const kill = probeKillOf(death);
  if (!kill) return undefined;
  const { answer, successes } = kill;
  const silent = answer.kind === 'timeout';
  return probeKillVerdict(death, kill, {
    cause: 'ApplicationHung',
    confidence: kill.last && successes.length > 0 && kill.failures.length > 1 ? 'certain' : 'likely',
    why: silent
      ? `it takes ${successes.length > 0 ? 'no more questions' : 'no question'}: nothing came within ${duration(kill.timeoutMs)}, nor later, so it hangs`
      : 'it runs but does not call itself alive',
    facts: [...lastSuccessFact(death, kill), ...(silent ? throttledFacts(death, kill) : [])],
    remedy:
      'find what blocks it (a lock, an endless loop, a dependency without a time-out); the probe is right',
  });
};
