import type { LogLine } from '../../../model/life.ts';
import { ERRNO_PATTERNS } from './errno-patterns.ts';
import { lastWords } from './last-words.ts';
import { LOG_CAUSES, type LogCause, type LogPattern } from './log-pattern.ts';
import { LOG_PATTERNS } from './log-patterns.ts';

/** What a log says of its process's end. A hint: a log alone never makes a verdict certain. */
export interface LogHint {
  readonly cause: LogCause;
  readonly language: string;
  readonly line: LogLine;
  /** What the pattern found: variable, file, setting, address, port, command, detail. */
  readonly found: Readonly<Record<string, string>>;
  /** It fits, though the line says so in words that nobody has listed. */
  readonly guess?: true;
}

// What was said so long before the last word is asked only when nothing was said since.
const LATE_MS = 2000;

/**
 * The most telling hint of the last words: what was said in the last two seconds before what was said earlier, then by
 * cause, then one that names something, then the line closest to the end.
 */
export function logHint(log: readonly LogLine[]): LogHint | undefined {
  const words = lastWords(log);
  const lateFrom = (words.at(-1)?.at ?? 0) - LATE_MS;
  return bestOf(words.filter(({ at }) => at >= lateFrom)) ?? bestOf(words.filter(({ at }) => at < lateFrom));
}

function bestOf(lines: readonly LogLine[]): LogHint | undefined {
  let best: LogHint | undefined;
  for (const line of lines.toReversed()) {
    const hint = hintOf(line);
    if (hint && (best === undefined || tellsMore(hint, best))) best = hint;
  }
  return best;
}

const tellsMore = (hint: LogHint, best: LogHint) =>
  rank(hint) < rank(best) || (rank(hint) === rank(best) && names(hint) && !names(best));
const names = ({ found }: LogHint) => Object.keys(found).length > 0;
const rank = ({ cause }: LogHint) => LOG_CAUSES.indexOf(cause);

/** What a language or tool says in its own way, else what the system says through it. */
function hintOf(line: LogLine): LogHint | undefined {
  const message = messageOf(line.text);
  const own = matchOf(LOG_PATTERNS, line, message);
  if (own && own.cause !== 'AppError') return own;
  return firstOf(ERRNO_PATTERNS, line, message) ?? own;
}

function firstOf(patterns: readonly LogPattern[], line: LogLine, message: string): LogHint | undefined {
  for (const { cause, language, pattern } of patterns) {
    const match = pattern.exec(message);
    if (match) return { cause, language, line, found: definedGroups(match.groups) };
  }
  return undefined;
}

function matchOf(patterns: readonly LogPattern[], line: LogLine, message: string): LogHint | undefined {
  let best: LogHint | undefined;
  for (const { cause, language, pattern } of patterns) {
    if (best !== undefined && LOG_CAUSES.indexOf(cause) >= rank(best)) continue;
    const match = pattern.exec(message);
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
