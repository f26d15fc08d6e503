import type { FailureOf } from '../failure.ts';
import { lastSuccessFact, lateFacts, type ProbeKill, probeKillOf, probeKillVerdict } from '../probe-kill.ts';
import { duration } from '../words.ts';

/** It is well and answers, only not as fast or as often as the probe demands. */
export const livenessProbeTooStrict: FailureOf = (death) => {
  const kill = probeKillOf(death);
  if (kill?.kind !== 'liveness') return undefined;
  const why = strictness(kill);
  if (why === undefined) return undefined;
  return probeKillVerdict(death, kill, {
    cause: 'LivenessProbeTooStrict',
    confidence: kill.late.length > 0 ? 'certain' : 'likely',
    why,
    facts: [...lateFacts(death, kill), ...lastSuccessFact(death, kill)],
    remedy: 'raise timeoutSeconds above its slowest good answer, and failureThreshold above 1',
  });
};

function strictness({ answer, late, successes, timeoutMs, failureThreshold }: ProbeKill): string | undefined {
  const slowest = Math.max(0, ...successes.map(({ latencyMs }) => latencyMs));
  if (answer.kind === 'timeout' && late.length > 0)
    return `it does answer, after ${duration(late.at(-1)!.latencyMs)}, and the probe waits ${duration(timeoutMs)}`;
  if (answer.kind === 'timeout' && slowest > timeoutMs / 2)
    return `its good answers took up to ${duration(slowest)}, and the probe waits ${duration(timeoutMs)}`;
  if (failureThreshold === 1 && successes.length > 0)
    return 'a single failure among good answers was enough (failureThreshold 1)';
  return undefined;
}
