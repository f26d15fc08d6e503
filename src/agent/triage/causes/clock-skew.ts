import type { Evidence } from '../../../model/evidence.ts';
import { ofLife } from '../citation.ts';
import type { Death } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import type { LogHint } from '../log/log-cause.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod } from '../next-step.ts';
import { brief, duration } from '../words.ts';

// What NodeClockSkew alerts on; and what certificates and tokens are hurt by.
const SKEWED_SECONDS = 0.5;
const HARMFUL_SECONDS = 60;

/**
 * The clock here and the clock of whom it talks to disagree: what is valid there is not yet, or no more, valid here.
 * Certain when the node's clock was measured to be off; then it is why a certificate or token seems to have expired, too.
 */
export const clockSkew: FailureOf = (death) => {
  const hint = hintOf(death, 'ClockSkew') ?? expired(death);
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  return logVerdict(death, hint, {
    cause: 'ClockSkew',
    summary: `Container ${container} exits with code ${exitCode} because its clock and another's disagree: ${brief(hint.line.text, 200)}`,
    corroborated: offsetFact(death, SKEWED_SECONDS),
    next: [
      {
        command: 'date -u; timedatectl timesync-status || chronyc tracking',
        why: `see on node ${pod.node} how far its clock is off, and whether it is kept by NTP`,
      },
      describePod(pod, 'see since when it fails, and on which node'),
    ],
  });
};

const expired = (death: Death): LogHint | undefined =>
  offsetFact(death, HARMFUL_SECONDS) &&
  (hintOf(death, 'CertificateExpired') ?? hintOf(death, 'TokenExpired'));

function offsetFact(death: Death, leastSeconds: number): Evidence | undefined {
  const { clockOffsetSeconds: offset, pod } = death.life;
  if (offset === undefined || Math.abs(offset) < leastSeconds) return undefined;
  const off = duration(Math.abs(offset) * 1000);
  return {
    ...ofLife(
      death,
      `the clock of node ${pod.node} was ${off} ${offset > 0 ? 'ahead of' : 'behind'} the true time`,
    ),
    source: `node_timex_offset_seconds{node=${JSON.stringify(pod.node)}}`,
  };
}
