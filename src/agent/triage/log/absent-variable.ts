import type { LogLine } from '../../../model/life.ts';
import { lastWords } from './last-words.ts';

// A setting in the manner of the field: capitals with an underscore; after a point only where the environment is read.
const SETTING = /(?<![\w-])(?<!(?<!\b(?:env|ENV))\.)[A-Z][A-Z0-9]{1,30}_[A-Z0-9_]{1,50}(?![\w-])/g;
// Names of errors and of the kernel's constants look the same.
const ERROR_NAME =
  /^(?:ERR|SIG|UND|EAI|KRB\w*|SSL|TLS|HTTP|SO|SOCK|RLIMIT|FATAL|MODULE|CERT|NODE|ORA|SQLITE|INTERNAL|CAP|O)_|_(?:ERROR|FAILED|FAILURE|FOUND|EXPIRED|REQUIRED|INVALID|DENIED|TIMEOUT|REFUSED|EXCEPTION|MISMATCH|EXCEEDED|VALID)$/;
const ABSENCE =
  /\b(?:missing|not|must|requires?|required|needs?|needed|empty|unset|undefined|null|none|nil|blank|without|absent|no|provide|please|expected?|expects|define|set|specify|forgot|forgotten|lacks?|nothing)\b/i;

// An error whose whole message is a name, or the reading of one: `java.lang.NullPointerException: PAYMENT_KEY`.
const NAME_ALONE =
  /(?:Error|Exception|panic|fatal)\b.{0,80}: ["'`]?[A-Z][A-Z0-9_]{2,60}["'`]?$|\b(?:assert|expect|invariant|require\w{0,10}|ensure)\w{0,10}\(.{0,40}(?:env|ENV)\b/;

/** A setting that a last line misses in words nobody has listed, and that the process in fact did not have. */
export function absentVariableIn(
  log: readonly LogLine[],
  envNames: readonly string[],
): { readonly line: LogLine; readonly variable: string } | undefined {
  for (const line of lastWords(log).toReversed()) {
    if (!ABSENCE.test(line.text) && !NAME_ALONE.test(line.text)) continue;
    const variable = line.text
      .match(SETTING)
      ?.find((name) => !ERROR_NAME.test(name) && !envNames.includes(name));
    if (variable !== undefined) return { line, variable };
  }
  return undefined;
}
