import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { applyAgain, manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

/** An error of the program's own with a plain reason: it read its settings and refused them. */
export const badConfig: FailureOf = (death) => {
  const hint = hintOf(death, 'BadConfig');
  if (!hint) return undefined;
  const { container, exitCode, pod } = death.life;
  const { file, setting, detail } = hint.found;
  const what =
    setting !== undefined
      ? `its setting ${brief(setting, 80)} is not valid`
      : file !== undefined
        ? `its configuration file ${brief(file, 120)} is not valid`
        : 'its configuration is not valid';
  return logVerdict(death, hint, {
    cause: 'AppError',
    summary: `Container ${container} exits with code ${exitCode} because ${what}: ${brief(detail ?? hint.line.text, 160)}`,
    next: [
      manifestOf(pod, 'find where the setting comes from: command, args, env or a ConfigMap'),
      applyAgain('apply the mended manifest'),
    ],
  });
};
