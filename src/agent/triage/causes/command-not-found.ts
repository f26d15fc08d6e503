import { exitFact, lastLogFacts, ofLife } from '../citation.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { manifestOf, previousLog } from '../next-step.ts';
import { brief } from '../words.ts';

/** A shell's exit 127. Certain when its log names the command, too. */
export const commandNotFound: FailureOf = (death) => {
  const { life } = death;
  const { container, exitCode, pod } = life;
  const next = [manifestOf(pod, 'correct command, args or PATH, or use an image that has the command')];
  const hint = hintOf(death, 'CommandNotFound');
  if (hint) {
    return logVerdict(death, hint, {
      summary: `Container ${container} exits with code ${exitCode} because the command ${brief(hint.found.command ?? '', 120)} does not exist in it.`,
      corroborated:
        exitCode === 127 ? ofLife(death, '127 is how a shell says that a command was not found') : undefined,
      next,
    });
  }
  if (exitCode !== 127) return undefined;
  return {
    cause: 'CommandNotFound',
    confidence: 'likely',
    summary: `Container ${container} exits with code 127, as a shell does when a command does not exist: ${brief(life.config.command.join(' '), 120)}`,
    evidence: [exitFact(death), ...lastLogFacts(death)],
    next: [...next, previousLog(pod, container)],
  };
};
