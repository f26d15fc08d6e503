import type { FailureOf } from '../failure.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { applyAgain, manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

/** The program read its settings and refused them: a file that does not parse, an unknown flag, a wrong value. */
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
    failureMode: 'F1',
    summary: `Container ${container} exits with code ${exitCode} because ${what}: ${brief(detail ?? hint.line.text, 160)}`,
    next: [
      manifestOf(pod, 'find where the setting comes from: command, args, env or a ConfigMap'),
      applyAgain('apply the mended manifest'),
    ],
  });
};
