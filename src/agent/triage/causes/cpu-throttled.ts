import type { FailureOf } from '../failure.ts';
import { lastSuccessFact, lateFacts, probeKillOf, probeKillVerdict, throttledFacts } from '../probe-kill.ts';
import { isStarved } from '../starvation.ts';
import { duration } from '../words.ts';

/** Its CPU limit left it no time to answer its probe: earlier in the chain than the kill, and than a hang. */
export const cpuThrottled: FailureOf = (death) => {
  const kill = probeKillOf(death);
  if (kill?.answer.kind !== 'timeout') return undefined;
  const { throttledRatio, late, successes } = kill;
  const answersAtAll = late.length > 0 || successes.some(({ latencyMs }) => latencyMs > kill.timeoutMs / 4);
  if (!isStarved(throttledRatio, death.life.config.cpuLimitCores, answersAtAll)) return undefined;
  return probeKillVerdict(death, kill, {
    cause: 'CpuThrottled',
    confidence: 'likely',
    why: `it does not answer within ${duration(kill.timeoutMs)} because its CPU limit leaves it no time to: it was throttled in ${Math.round(throttledRatio! * 100)}% of the CPU periods`,
    facts: [...throttledFacts(death, kill), ...lastSuccessFact(death, kill), ...lateFacts(death, kill)],
    remedy: 'raise or remove resources.limits.cpu, or let it do less',
  });
};
