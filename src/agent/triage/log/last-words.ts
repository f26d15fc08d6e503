import type { LogLine } from '../../../model/life.ts';

const MOST_LINES = 60;
const LAST_LINES = 12;
const MOST_CHARACTERS = 1000;

// Where an uncaught error begins, in the manner of each language; what follows is its story.
const FATAL_BEGIN =
  /^(?:Uncaught |Unhandled )?(?:[A-Z]\w{0,60})?(?:Error|Exception)(?: \[[\w_]{1,60}\])?:|^node:internal|^Traceback \(most recent call last\)|^Exception in thread |^panic: |^fatal error: |^Unhandled exception\.|^thread '[^']{1,60}' (?:\(\d{1,9}\) )?panicked|^PHP Fatal error|^\*{3} FATAL|^FATAL ERROR: |^APPLICATION FAILED TO START|^\S{1,300}:\d{1,7}:in .{1,200} \([A-Z][\w:]{1,80}\)$/;
// A level that a program gives to lines it lives on after.
const HARMLESS_LEVEL =
  /(?:^|[\s[|"'])(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING)(?:[\s\]|:"']|$)|"?level"?[=:] ?"?(?:trace|debug|info|notice|warn|warning)\b|"level":(?:10|20|30|40)\b|^[IW]\d{4} |^(?:npm )?(?:warn|info|notice)\b/i;
// What did not end it, in its own words.
const OVERCOME =
  /\b(?:retry|retrying|will retry|reconnecting|recovered|ignoring|ignored|falling back|fallback|using default|defaulting|continuing|skipping|skipped|optional|disabled|handled|resolved|succeeded|attempt \d{1,4} of|trying again|trying next)\b/i;

/**
 * The lines that may say why a process ended, in order: the last uncaught error with its story, else the last few lines
 * without those it lived on after (harmless levels, retries, things ignored). Long before the end a program says many
 * things that did not kill it.
 */
export function lastWords(log: readonly LogLine[]): readonly LogLine[] {
  const lines = log
    .filter(({ text }) => text.trim() !== '')
    .slice(-MOST_LINES)
    .map((line) =>
      line.text.length > MOST_CHARACTERS ? { ...line, text: line.text.slice(0, MOST_CHARACTERS) } : line,
    );
  const begin = fatalBegin(lines);
  if (begin >= 0) return lines.slice(begin);
  return lines.slice(-LAST_LINES).filter(({ text }) => !HARMLESS_LEVEL.test(text) && !OVERCOME.test(text));
}

/** Index of the line where the last uncaught error begins, or -1. Errors one line after another are one story. */
function fatalBegin(lines: readonly LogLine[]): number {
  let begin = -1;
  for (const [index, { text }] of lines.entries()) {
    if (!FATAL_BEGIN.test(text)) continue;
    if (begin < 0 || !isContinued(lines, begin, index)) begin = index;
  }
  // A program that went on for long after an error did not die of it.
  return begin >= 0 && linesAfterStory(lines, begin) <= LAST_LINES ? begin : -1;
}

const CHAINED = /direct cause of the following exception|During handling of the above exception/;

/** Whether the error at `to` belongs to the story begun at `from`: a chained exception, or a header's own error. */
function isContinued(lines: readonly LogLine[], from: number, to: number): boolean {
  const between = lines.slice(from, to).map(({ text }) => text);
  if (between.some((text) => CHAINED.test(text))) return true;
  const isOpen = /^(?:Traceback|node:internal|thread '|APPLICATION FAILED)/.test(between[0]!);
  return isOpen && between.slice(1).every((text) => STORY.test(text) || between.length < 4);
}

const STORY =
  /^\s|^at |^Caused by|^goroutine |^\.\.\.|^Node\.js v|^\}|^\{|^Traceback|^note: |^exit status|^-{3,} (?:Native|JS)|^\s*\d{1,3}: 0x|^Aborted|^Segmentation fault|^$|^main\.|^\t/;

function linesAfterStory(lines: readonly LogLine[], begin: number): number {
  let last = begin;
  for (let index = begin + 1; index < lines.length; index += 1) {
    if (STORY.test(lines[index]!.text) || FATAL_BEGIN.test(lines[index]!.text)) last = index;
  }
  return lines.length - 1 - last;
}
