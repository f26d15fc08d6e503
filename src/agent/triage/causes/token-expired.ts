import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

/** A token or session it was given is not valid any more. */
export const tokenExpired: FailureOf = (death) => {
  const hint = hintOf(death, 'TokenExpired');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because a token it uses has expired: ${brief(hint.line.text, 200)}`,
    next: [
      manifestOf(pod, 'see which Secret holds the token, and renew it there'),
      describePod(pod, 'see since when it fails'),
    ],
  });
};
