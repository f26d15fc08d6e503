import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod } from '../next-step.ts';
import { brief } from '../words.ts';

/** The clock here and the clock of whom it talks to disagree: what is valid there is not yet, or no more, valid here. */
export const clockSkew: FailureOf = (death) => {
  const hint = hintOf(death, 'ClockSkew');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because its clock and another's disagree: ${brief(hint.line.text, 200)}`,
    next: [
      {
        command: 'date -u; timedatectl timesync-status || chronyc tracking',
        why: `see on node ${pod.node} how far its clock is off, and whether it is kept by NTP`,
      },
      describePod(pod, 'see since when it fails, and on which node'),
    ],
  });
};
