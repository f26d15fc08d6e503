import { ofLife } from '../citation.ts';
import type { FailureOf } from '../failure.ts';
import { probeOf } from '../listening.ts';
import { lateFacts, type ProbeKill, probeKillOf, probeKillVerdict } from '../probe-kill.ts';

const UNAVAILABLE = 503;

/** Killed while it was still starting: it had never yet given a good answer, and said so or listened nowhere. */
export const startupTooSlowForProbe: FailureOf = (death) => {
  const kill = probeKillOf(death);
  if (!kill || kill.successes.length > 0 || !isStarting(kill)) return undefined;
  // A liveness probe that waits for a startup probe asks only what has started.
  if (kill.kind === 'liveness' && probeOf(death.spec, 'startup') !== undefined) return undefined;
  return probeKillVerdict(death, kill, {
    cause: 'StartupTooSlowForProbe',
    confidence: 'likely',
    why:
      kill.kind === 'startup'
        ? 'it takes longer to start than the probe allows, or cannot start'
        : 'it was still starting: a liveness probe without a startup probe leaves it no time for that',
    facts: [
      ...(kill.failures.length > 0
        ? [
            ofLife(
              death,
              `its ${kill.kind} probe never succeeded in this life; ${kill.failureThreshold} failures in a row end it`,
            ),
          ]
        : []),
      ...lateFacts(death, kill),
    ],
    remedy:
      'give the start more time: a startupProbe with failureThreshold x periodSeconds above the longest start',
  });
};

function isStarting({ kind, answer, match, late }: ProbeKill): boolean {
  if (kind === 'startup') return true;
  if (answer.kind === 'refused') return match === undefined || match === 'nothing-there';
  if (answer.kind === 'status') return answer.status === UNAVAILABLE;
  if (answer.kind === 'timeout') return match === 'nothing-there' && late.length === 0;
  return answer.kind === 'other';
}
