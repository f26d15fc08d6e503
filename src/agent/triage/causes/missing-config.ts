import type { Evidence } from '../../../model/evidence.ts';
import type { Verdict } from '../../../model/verdict.ts';
import { ofLife } from '../citation.ts';
import type { Death } from '../death.ts';
import type { FailureOf } from '../failure.ts';
import { complaintIn } from '../log/complaint.ts';
import type { LogHint } from '../log/log-cause.ts';
import { hintOf, logVerdict } from '../log-verdict.ts';
import { applyAgain, manifestOf } from '../next-step.ts';
import { brief } from '../words.ts';

/**
 * The program ended because a setting or a file it needs is not there. Likely by its own words; certain when the
 * variable it names is in fact not among those the container was started with.
 */
export const missingConfig: FailureOf = (death) => {
  const hint = hintOf(death, 'MissingConfig');
  if (!hint || isCommand(death, hint)) return undefined;
  return logVerdict(death, hint, {
    summary: summaryOf(death, hint),
    corroborated: hint.guess || !isLastComplaint(death, hint) ? undefined : absentVariable(death, hint),
    facts: setButRefused(death, hint),
    next: nextSteps(death, hint),
  });
};

// 127 is how a shell, and whatever starts a command, says that it is the command that is not there.
const isCommand = ({ life }: Death, { found }: LogHint) =>
  life.exitCode === 127 &&
  found.variable === undefined &&
  found.setting === undefined &&
  found.file === undefined;

// A setting it misses and lives without is told just so: only as the last complaint is it the reason of the end.
const isLastComplaint = ({ life }: Death, { line }: LogHint) => {
  const last = complaintIn(life.log);
  return last === undefined || last.at <= line.at || last.text === line.text || ONLY_ENDS.test(last.text);
};
// What follows a reason and gives none.
const ONLY_ENDS =
  /^\s*(?:at |\w{0,20}[ :-]{0,3}(?:exit(?:ing|ed)?|abort(?:ing|ed)?|stopp(?:ing|ed)|shutting down|cannot start|giving up|startup failed|failed to start)\b)|exit status|Node\.js v|^\s*[}^]|^npm ERR|note: run with/i;

const isSet = ({ life }: Death, variable: string) => life.config.envNames.includes(variable);

function summaryOf(death: Death, { found, line }: LogHint): string {
  const { container, exitCode } = death.life;
  const ends = `Container ${container} exits with code ${exitCode}`;
  if (found.variable !== undefined) {
    return isSet(death, found.variable)
      ? `${ends} because its setting ${found.variable} is missing or empty, although the container has a variable of this name.`
      : `${ends} because its environment variable ${found.variable} is not set.`;
  }
  if (found.setting !== undefined)
    return `${ends} because its setting ${brief(found.setting, 80)} is missing.`;
  if (found.file !== undefined)
    return `${ends} because the file ${brief(found.file, 120)} does not exist in the container.`;
  return `${ends} because a setting it needs is missing: ${brief(line.text, 160)}`;
}

function absentVariable(death: Death, { found }: LogHint): Evidence | undefined {
  const { life } = death;
  if (found.variable === undefined || isSet(death, found.variable)) return undefined;
  const count = life.config.envNames.length;
  return ofLife(
    death,
    `the container was started with ${count} environment ${count === 1 ? 'variable' : 'variables'}; ${found.variable} is not among them`,
    life.startedAt,
  );
}

function setButRefused(death: Death, { found }: LogHint): readonly Evidence[] {
  if (found.variable === undefined || !isSet(death, found.variable)) return [];
  return [ofLife(death, `the container was started with a variable ${found.variable}`, death.life.startedAt)];
}

function nextSteps({ life: { pod, container } }: Death, { found }: LogHint): Verdict['next'] {
  const { variable, file } = found;
  const add =
    variable !== undefined
      ? `add ${variable} under env of container ${container} (or to a ConfigMap or Secret it reads)`
      : file !== undefined
        ? `mount ${brief(file, 120)} from a ConfigMap, Secret or volume, or correct the path`
        : `add the missing setting to container ${container}`;
  return [manifestOf(pod, add), applyAgain('apply the mended manifest')];
}
