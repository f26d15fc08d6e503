import { exitFact, lastLogFacts, ofLife } from '../citation.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { manifestOf, previousLog } from '../next-step.ts';
import { brief } from '../words.ts';

/** A shell's exit 126: the file is there and cannot be run (mode, architecture, a directory). */
export const notExecutable: FailureOf = (death) => {
  const { life } = death;
  const { container, exitCode, pod } = life;
  const next = [
    manifestOf(pod, 'make the file executable (chmod +x), or use an image built for this architecture'),
  ];
  const hint = hintOf(death, 'NotExecutable');
  if (hint) {
    const format = /exec format error/i.test(hint.line.text);
    return logVerdict(death, hint, {
      failureMode: format ? 'F15' : 'F1',
      summary: `Container ${container} exits with code ${exitCode} because ${brief(hint.found.command ?? '', 120)} cannot be executed${format ? ': it is built for another architecture, or a script without a first line that names its shell' : ''}.`,
      corroborated:
        exitCode === 126
          ? ofLife(death, '126 is how a shell says that a file cannot be executed')
          : undefined,
      next,
    });
  }
  if (exitCode !== 126) return undefined;
  return {
    cause: 'NotExecutable',
    failureMode: 'F1',
    confidence: 'likely',
    summary: `Container ${container} exits with code 126, as a shell does when a file cannot be executed: ${brief(life.config.command.join(' '), 120)}`,
    evidence: [exitFact(death), ...lastLogFacts(death)],
    next: [...next, previousLog(pod, container)],
  };
};
