import type { Evidence } from '../../../model/evidence.ts';
import { seriesName } from '../citation.ts';
import type { Death } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { lateFacts, probeKillOf, probeKillVerdict, throttledFacts } from '../probe-kill.ts';
import { isCrowded, meanStall } from '../starvation.ts';
import { rfc3339 } from '../words.ts';

/**
 * It answered too late because it waited for a CPU that others had: pressure without throttling of its own. The
 * kernel's CPU pressure of a throttled group includes its throttling, so that pressure beside throttling says nothing.
 */
export const noisyNeighbour: FailureOf = (death) => {
  const kill = probeKillOf(death);
  if (kill?.answer.kind !== 'timeout') return undefined;
  const stall = meanStall(death.life.vitals);
  if (!isCrowded(stall, kill.throttledRatio) || (kill.late.length === 0 && kill.successes.length === 0))
    return undefined;
  return probeKillVerdict(death, kill, {
    cause: 'NoisyNeighbour',
    confidence: 'likely',
    why: `it waited for a CPU in ${Math.round(stall! * 100)}% of its last seconds although its own limit did not hold it back: others on the node had it`,
    facts: [stallFact(death, stall!), ...throttledFacts(death, kill), ...lateFacts(death, kill)],
    remedy: 'give it a CPU request that covers its use, and limit or move who takes the node',
  });
};

const stallFact = ({ life }: Death, stall: number): Evidence => ({
  fact: `in its last seconds it waited for a CPU in ${Math.round(stall * 100)}% of the time`,
  source: seriesName('container_pressure_cpu_waiting_seconds_total', life.pod, life.container),
  at: rfc3339(life.finishedAt),
});
