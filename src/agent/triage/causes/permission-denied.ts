import { exitFact, lastLogFacts, ofLife } from '../citation.ts';
import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { describePod, manifestOf, previousLog } from '../next-step.ts';
import { brief } from '../words.ts';

const CANNOT_EXECUTE = 126;

/** The kernel refused the program a file, a port, an operation, or its own execution (a shell's exit 126). */
export const permissionDenied: FailureOf = (death) => {
  const { life } = death;
  const { container, exitCode, pod } = life;
  const hint = hintOf(death, 'PermissionDenied');
  const executable = manifestOf(pod, 'make the file executable (chmod +x), or correct the command');
  if (!hint) {
    if (exitCode !== CANNOT_EXECUTE) return undefined;
    return {
      cause: 'PermissionDenied',
      confidence: 'likely',
      summary: `Container ${container} exits with code 126, as a shell does when a file cannot be executed: ${brief(life.config.command.join(' '), 120)}`,
      evidence: [exitFact(death), ...lastLogFacts(death)],
      next: [executable, previousLog(pod, container)],
    };
  }
  const { file, command } = hint.found;
  const cannotRun = exitCode === CANNOT_EXECUTE;
  return logVerdict(death, hint, {
    summary: `Container ${container} exits with code ${exitCode} because ${cannotRun || command !== undefined ? `${brief(command ?? file ?? 'its command', 120)} cannot be executed` : `it ${refused(file)}`}.`,
    corroborated: cannotRun
      ? ofLife(death, '126 is how a shell says that a file cannot be executed')
      : undefined,
    next: cannotRun
      ? [executable]
      : [
          describePod(pod, 'see its volumes and mounts'),
          manifestOf(pod, 'mend owner and mode, or choose another path, user or port'),
        ],
  });
};

function refused(file: string | undefined): string {
  const port = /:(\d{1,5})$/.exec(file ?? '')?.[1];
  if (port !== undefined)
    return `may not listen on port ${port}${Number(port) < 1024 ? ' (ports below 1024 need a privilege)' : ''}`;
  return file === undefined ? 'was refused an operation it needs' : `may not use ${brief(file, 120)}`;
}
