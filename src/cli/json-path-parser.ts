import { InvalidArgumentError } from 'commander';
import {
  type JsonPathTemplate,
  OPERATORS,
  type Operand,
  type Part,
  type Path,
  type Step,
} from './json-path.ts';

const LONGEST_TEMPLATE = 10_000;
const MOST_NESTING = 50;

/** @throws InvalidArgumentError what is wrong, and where. */
export function parseJsonPath(template: string): JsonPathTemplate {
  if (template.length > LONGEST_TEMPLATE) throw wrong(`longer than ${LONGEST_TEMPLATE} characters`);
  const scanner = createScanner(template);
  const parts = parseParts(scanner, 0);
  if (!scanner.done()) throw wrong('{end} without {range}');
  return parts;
}

/** A path alone, as `--sort-by` and custom columns take it: `.metadata.name`, `metadata.name` or `{.metadata.name}`. */
export function parseRelaxedPath(text: string): JsonPathTemplate {
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text;
  if (inner === '') throw wrong('an empty path');
  return parseJsonPath(`{${/^[.[$@]/.test(inner) ? inner : `.${inner}`}}`);
}

interface Scanner {
  readonly text: string;
  at: number;
  done(): boolean;
  /** Goes past `word` if that is what comes. */
  take(word: string): boolean;
  /** What a sticky expression matches from here. */
  match(pattern: RegExp): RegExpExecArray | undefined;
  skipSpace(): void;
}

function createScanner(text: string): Scanner {
  return {
    text,
    at: 0,
    done() {
      return this.at >= text.length;
    },
    take(word) {
      if (!text.startsWith(word, this.at)) return false;
      this.at += word.length;
      return true;
    },
    match(pattern) {
      pattern.lastIndex = this.at;
      const found = pattern.exec(text);
      if (found) this.at += found[0].length;
      return found ?? undefined;
    },
    skipSpace() {
      this.match(/\s*/y);
    },
  };
}

const wrong = (why: string) => new InvalidArgumentError(`jsonpath: ${why}`);
const unexpected = ({ text, at }: Scanner) =>
  wrong(
    at >= text.length
      ? 'it ends in the middle of a path; is a } or ] missing?'
      : `unexpected "${text.slice(at, at + 12)}" at character ${at + 1}`,
  );

/** Up to the end, or up to `{end}`, which is not gone past. */
function parseParts(scanner: Scanner, depth: number): JsonPathTemplate {
  if (depth > MOST_NESTING) throw wrong('nested too deep');
  const parts: Part[] = [];
  while (!scanner.done()) {
    const text = scanner.match(/[^{]+/y);
    if (text) {
      parts.push({ kind: 'text', text: text[0] });
      continue;
    }
    if (scanner.match(/(?=\{\s*end\s*\})/y)) return parts;
    scanner.take('{');
    scanner.skipSpace();
    const isRange = scanner.match(/range\s+/y) !== undefined;
    const quoted = isRange ? undefined : parseQuoted(scanner);
    if (quoted !== undefined) parts.push({ kind: 'text', text: quoted });
    else {
      const path = parsePath(scanner, depth);
      if (!isRange) parts.push({ kind: 'path', path });
      else {
        close(scanner, '}');
        const body = parseParts(scanner, depth + 1);
        if (!scanner.match(/\{\s*end\s*(?=\})/y)) throw wrong('{range} without {end}');
        parts.push({ kind: 'range', path, body });
      }
    }
    close(scanner, '}');
  }
  return parts;
}

function close(scanner: Scanner, word: string): void {
  scanner.skipSpace();
  if (!scanner.take(word)) throw unexpected(scanner);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
const QUOTED = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/sy;

function parseQuoted(scanner: Scanner): string | undefined {
  const found = scanner.match(QUOTED);
  return found && (found[1] ?? found[2]!).replace(/\\(.)/gs, (_, it: string) => ESCAPES[it] ?? it);
}

function parsePath(scanner: Scanner, depth: number): Path {
  const fromRoot = scanner.take('$');
  const fromCurrent = !fromRoot && scanner.take('@');
  const steps = parseSteps(scanner, depth);
  if (steps.length === 0 && !fromRoot && !fromCurrent && !scanner.take('.')) throw unexpected(scanner);
  return { fromRoot, steps };
}

// A backslash makes part of a name what would end it.
const FIELD = /(?:[^\s.,[\]$@{}()'"=!<>\\]|\\.)+/sy;

function parseSteps(scanner: Scanner, depth: number): readonly Step[] {
  const steps: Step[] = [];
  for (;;) {
    if (scanner.take('..')) {
      steps.push({ kind: 'descendants' });
      if (scanner.text[scanner.at] !== '[') steps.push(parseField(scanner));
    } else if (scanner.take('[')) steps.push(...parseBracket(scanner, depth));
    else if (scanner.text[scanner.at] === '.' && /[^\s})]/.test(scanner.text[scanner.at + 1] ?? '')) {
      scanner.take('.');
      if (scanner.text[scanner.at] !== '[') steps.push(parseField(scanner));
    } else return steps;
  }
}

function parseField(scanner: Scanner): Step {
  const name = scanner.match(FIELD)?.[0].replace(/\\(.)/gs, '$1');
  if (name === undefined) throw unexpected(scanner);
  return name === '*' ? { kind: 'all' } : { kind: 'field', name };
}

function parseBracket(scanner: Scanner, depth: number): readonly Step[] {
  if (scanner.match(/\s*\?\s*\(/y)) return [parseFilter(scanner, depth + 1)];
  const paths: (readonly Step[])[] = [];
  do {
    scanner.skipSpace();
    paths.push(parseElement(scanner, depth + 1));
    scanner.skipSpace();
  } while (scanner.take(','));
  close(scanner, ']');
  return paths.length === 1 ? paths[0]! : [{ kind: 'union', paths }];
}

const SLICE = /(-?\d+)?(?:(:)(-?\d+)?(?::(\d+)?)?)?/y;

function parseElement(scanner: Scanner, depth: number): readonly Step[] {
  if (scanner.take('*')) return [{ kind: 'all' }];
  const quoted = scanner.match(QUOTED);
  if (quoted) {
    // A name in brackets is a path as well, as kubectl has it: dots within need a backslash.
    const inner = createScanner(`.${quoted[1] ?? quoted[2]!}`);
    if (depth > MOST_NESTING) throw wrong('nested too deep');
    const steps = parseSteps(inner, depth);
    if (!inner.done()) throw unexpected(scanner);
    return steps;
  }
  const [all, start, colon, end, by] = scanner.match(SLICE)!;
  if (all === '') throw unexpected(scanner);
  if (colon === undefined) {
    const index = Number(start);
    return [{ kind: 'slice', start: index, ...(index === -1 ? {} : { end: index + 1 }), by: 1 }];
  }
  if (by === '0') throw wrong('a slice goes on by at least 1');
  return [
    {
      kind: 'slice',
      ...(start === undefined ? {} : { start: Number(start) }),
      ...(end === undefined ? {} : { end: Number(end) }),
      by: Number(by ?? 1),
    },
  ];
}

function parseFilter(scanner: Scanner, depth: number): Step {
  if (depth > MOST_NESTING) throw wrong('nested too deep');
  const left = parseOperand(scanner, depth);
  scanner.skipSpace();
  const operator = OPERATORS.find((word) => scanner.take(word));
  const compare = operator && { operator, right: parseOperand(scanner, depth) };
  close(scanner, ')');
  close(scanner, ']');
  return { kind: 'filter', left, ...(compare && { compare }) };
}

function parseOperand(scanner: Scanner, depth: number): Operand {
  scanner.skipSpace();
  const quoted = parseQuoted(scanner);
  if (quoted !== undefined) return { literal: quoted };
  const number = scanner.match(/-?\d+(?:\.\d+)?/y);
  if (number) return { literal: Number(number[0]) };
  const word = scanner.match(/(?:true|false)\b/y);
  return word ? { literal: word[0] === 'true' } : parsePath(scanner, depth);
}
