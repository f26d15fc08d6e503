import type { LogLine } from '../../model/life.ts';
import { isIdentifier, isKeyMaterial, redactHighEntropy } from './high-entropy.ts';
import { secretNameStrength } from './secret-name.ts';
import { redactSettings } from './secret-setting.ts';
import { REDACTED, SECRET_SHAPES } from './secret-shape.ts';

/** Longer lines are cut: an unbounded line would cost unbounded time, and what is not looked at must not leave. */
export const MAX_LINE_CHARACTERS = 16_384;
const MAX_DEPTH = 64;
const MOST_PASSES = 8;
const PEM_BEGIN = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
const PEM_END = /-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;

/**
 * The text with what looks like a secret, by its name or by its shape, replaced by `[redacted]`; all else stays
 * readable. Time is linear in the text; lines beyond 16384 characters are cut. Doing it twice changes nothing more.
 */
export function redactText(text: string): string {
  if (!text.includes('\n')) return redactLine(text);
  return redactEach(text.split('\n')).join('\n');
}

/** As redactText for each line, with keys that span several lines. */
export function redactLog(lines: readonly LogLine[]): readonly LogLine[] {
  const texts = redactEach(lines.map(({ text }) => text));
  return lines.map((line, index) => ({ ...line, text: texts[index]! }));
}

/** Any plain data with its strings redacted: values under names that sound secret, and shapes everywhere. */
export function redactObject<T>(value: T): T {
  return redactValue(value, 0) as T;
}

function redactEach(lines: readonly string[]): readonly string[] {
  let insideKey = false;
  return lines.map((line) => {
    if (!insideKey) {
      insideKey = PEM_BEGIN.test(line) && !PEM_END.test(line);
      return redactLine(line);
    }
    const end = PEM_END.exec(line)?.[0];
    insideKey = end === undefined;
    if (end === undefined) return REDACTED;
    // The end stays, so that a second look finds it and does not take all that follows for the key.
    return line.trim() === end ? line : REDACTED + end;
  });
}

function redactLine(line: string): string {
  if (line.length > MAX_LINE_CHARACTERS) {
    const cut = redactLine(line.slice(0, MAX_LINE_CHARACTERS - 64));
    return `${cut} … (${line.length - MAX_LINE_CHARACTERS + 64} characters more)`;
  }
  if (isKeyMaterial(line)) return REDACTED;
  // What was replaced may have hidden the name of the next secret: only lines that change are looked at again.
  let before = line;
  for (let pass = 1; ; pass += 1) {
    const after = redactOnce(before);
    if (after === before || pass === MOST_PASSES) return after;
    before = after;
  }
}

function redactOnce(line: string): string {
  let redacted = line;
  for (const { pattern, replacement } of SECRET_SHAPES) redacted = redacted.replace(pattern, replacement);
  return redactHighEntropy(redactSettings(redacted));
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return REDACTED;
  if (Array.isArray(value)) return redactArguments(value, depth);
  const entry = value as Readonly<Record<string, unknown>>;
  const named = typeof entry.name === 'string' && typeof entry.value === 'string';
  return Object.fromEntries(
    Object.entries(entry).map(([name, child]) => {
      const asNamed = named && name === 'value' ? (entry.name as string) : name;
      if (isSecret(asNamed, child)) return [name, REDACTED];
      const stays = typeof child === 'string' && isIdentifier(asNamed, child);
      return [name, stays ? child : redactValue(child, depth + 1)];
    }),
  );
}

/** A list of words may be a command: `--password`, `hunter2`. */
function redactArguments(list: readonly unknown[], depth: number): unknown[] {
  return list.map((item, index) => {
    const flag = list[index - 1];
    const follows = typeof flag === 'string' && /^--?[A-Za-z]/.test(flag) && !flag.includes('=');
    return follows && isSecret(flag, item) ? REDACTED : redactValue(item, depth + 1);
  });
}

function isSecret(name: string, value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || /^\$\(\w+\)$/.test(value)) return false;
  return secretNameStrength(name) === 'strong' || (secretNameStrength(name) === 'weak' && name.includes('_'));
}
