import { ofLife } from '../citation.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

const CANNOT_EXECUTE = 126;

/** The kernel refuses the program's format: built for another CPU, or a script without a first line naming its shell. */
export const wrongArchitecture: FailureOf = (death) => {
  const hint = hintOf(death, 'WrongArchitecture');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because ${brief(hint.found.command ?? 'its program', 120)} cannot be executed: it is built for another architecture, or a script without a first line that names its shell.`,
    corroborated:
      exitCode === CANNOT_EXECUTE
        ? ofLife(death, '126 is how a shell says that a file cannot be executed')
        : undefined,
    next: [
      manifestOf(pod, 'use an image or program built for the architecture of this node'),
      describePod(pod, 'see which image and command it runs'),
    ],
  });
};
