import { Mistake } from './parse-error.ts';

const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * The value of a string literal with its quotes, by Go's rules. Bytes that are not UTF-8 (`"\xff"`) become lone
 * surrogates U+DC80..U+DCFF, so that such a text is told by `isWellFormed()`.
 */
export function unquote(literal: string, at: number): string {
  const open = literal[0]!;
  if (literal.length < 2 || literal.at(-1) !== open) throw new Mistake(at, 'unterminated quoted string');
  const body = literal.slice(1, -1);
  if (open === '`') return body;
  if (!body.includes('\\')) return body;
  return decode(bytesOf(body, open, at));
}

const encoder = new TextEncoder();

function bytesOf(body: string, open: string, at: number): number[] {
  const bytes: number[] = [];
  for (let i = 0; i < body.length; ) {
    if (body[i] !== '\\') {
      const char = String.fromCodePoint(body.codePointAt(i)!);
      bytes.push(...encoder.encode(char));
      i += char.length;
      continue;
    }
    const kind = body[i + 1];
    if (kind === undefined) throw new Mistake(at, 'unterminated quoted string');
    const simple = SIMPLE[kind] ?? (kind === open ? kind.charCodeAt(0) : undefined);
    if (simple !== undefined) {
      bytes.push(simple);
      i += 2;
    } else if (/[0-7]/.test(kind)) {
      bytes.push(code(body.slice(i + 1, i + 4), /^[0-3][0-7]{2}$/, 8, at));
      i += 4;
    } else if (kind in HEX_DIGITS) {
      const length = HEX_DIGITS[kind]!;
      const value = code(body.slice(i + 2, i + 2 + length), new RegExp(`^[0-9a-fA-F]{${length}}$`), 16, at);
      if (kind === 'x') bytes.push(value);
      else bytes.push(...encoder.encode(character(value, at)));
      i += 2 + length;
    } else {
      throw new Mistake(at, `unknown escape sequence ${unicodeName(kind)}`);
    }
  }
  return bytes;
}

function code(digits: string, shape: RegExp, radix: number, at: number): number {
  if (!shape.test(digits)) throw new Mistake(at, 'illegal character in escape sequence');
  return Number.parseInt(digits, radix);
}

function character(value: number, at: number): string {
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
    throw new Mistake(at, 'escape sequence is an invalid Unicode code point');
  }
  return String.fromCodePoint(value);
}

function unicodeName(char: string): string {
  return `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} '${char}'`;
}

function decode(bytes: readonly number[]): string {
  const buffer = Uint8Array.from(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer);
  } catch {
    return decodeLeniently(buffer);
  }
}

function decodeLeniently(buffer: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let out = '';
  for (let i = 0; i < buffer.length; ) {
    let taken = 0;
    for (let length = 1; length <= 4 && taken === 0 && i + length <= buffer.length; length += 1) {
      try {
        out += decoder.decode(buffer.subarray(i, i + length));
        taken = length;
      } catch {
        // Not a whole character yet.
      }
    }
    if (taken === 0) out += String.fromCharCode(0xdc00 + buffer[i]!);
    i += Math.max(1, taken);
  }
  return out;
}
