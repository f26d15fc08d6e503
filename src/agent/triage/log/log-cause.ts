import type { LogLine } from '../../../model/life.ts';
import { lastWords } from './last-words.ts';
import { LOG_CAUSES, type LogCause } from './log-pattern.ts';
import { LOG_PATTERNS } from './log-patterns.ts';

/** What a log says of its process's end. A hint: a log alone never makes a verdict certain. */
export interface LogHint {
  readonly cause: LogCause;
  readonly language: string;
  readonly line: LogLine;
  /** What the pattern found: variable, file, setting, address, port, command, detail. */
  readonly found: Readonly<Record<string, string>>;
}

/** The most telling hint of the last words: by cause, then one that names something, then the line closest to the end. */
export function logHint(log: readonly LogLine[]): LogHint | undefined {
  let best: LogHint | undefined;
  for (const line of lastWords(log).toReversed()) {
    const hint = hintOf(line);
    if (hint && (best === undefined || tellsMore(hint, best))) best = hint;
  }
  return best;
}

const tellsMore = (hint: LogHint, best: LogHint) =>
  rank(hint) < rank(best) || (rank(hint) === rank(best) && names(hint) && !names(best));
const names = ({ found }: LogHint) => Object.keys(found).length > 0;
const rank = ({ cause }: LogHint) => LOG_CAUSES.indexOf(cause);

function hintOf(line: LogLine): LogHint | undefined {
  let best: LogHint | undefined;
  for (const { cause, language, pattern } of LOG_PATTERNS) {
    if (best !== undefined && LOG_CAUSES.indexOf(cause) >= rank(best)) continue;
    const match = pattern.exec(messageOf(line.text));
    if (match) best = { cause, language, line, found: definedGroups(match.groups) };
  }
  return best;
}

// The text of a JSON log line is in its message; patterns that look at a line's beginning want it bare.
function messageOf(text: string): string {
  if (!text.startsWith('{') || !text.endsWith('}')) return text.trimEnd();
  try {
    const { msg, message, error, err } = JSON.parse(text) as Record<string, unknown>;
    const words = [msg, message, error, (err as { message?: unknown } | null)?.message ?? err].filter(
      (word): word is string => typeof word === 'string',
    );
    return words.length > 0 ? words.join(': ') : text;
  } catch {
    return text.trimEnd();
  }
}

const definedGroups = (groups: Record<string, string | undefined> | undefined) =>
  Object.fromEntries(
    Object.entries(groups ?? {}).flatMap(([name, value]) =>
      value ? [[name.replace(/\d$/, ''), value]] : [],
    ),
  );
