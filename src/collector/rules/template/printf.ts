import { formatFloat, formatGeneral, quote } from '../../promql/go-format.ts';
import { toExponentialEven, toFixedEven, toPrecisionEven } from './rounding.ts';
import { goType, isList, isSpan, printValue, type Value } from './value.ts';

interface Verb {
  readonly letter: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

const LONGEST = 10_000;

/**
 * Go's Sprintf for what templates hold. A verb that does not fit its value prints as Go prints it:
 * `%!d(float64=1.5)`; missing and extra arguments likewise. Source: https://pkg.go.dev/fmt
 */
export function printf(format: string, args: readonly Value[]): string {
  let next = 0;
  const out = format.replace(
    /%([-+# 0]*)(\d*)(?:\.(\d*))?([\s\S]?)/gu,
    (_, flags: string, width: string, precision: string | undefined, letter: string) => {
      if (letter === '%') return '%';
      if (letter === '') return '%!(NOVERB)';
      if (next >= args.length) return `%!${letter}(MISSING)`;
      return print(args[next++], {
        letter,
        flags,
        width: Math.min(Number(width), LONGEST),
        precision: precision === undefined ? undefined : Math.min(Number(precision), 100),
      });
    },
  );
  if (next >= args.length) return out;
  const extra = args.slice(next).map((value) => `${goType(value)}=${printValue(value)}`);
  return `${out}%!(EXTRA ${extra.join(', ')})`;
}

/** Sprint: operands joined, with a blank between two that are not strings. */
export function print_(args: readonly Value[]): string {
  return args
    .map((value, index) => {
      const blank = index > 0 && typeof value !== 'string' && typeof args[index - 1] !== 'string';
      return (blank ? ' ' : '') + printValue(value);
    })
    .join('');
}

function print(value: Value, verb: Verb): string {
  const text = spell(value, verb);
  return text === undefined
    ? `%!${verb.letter}(${goType(value)}=${printValue(value)})`
    : pad(text, value, verb);
}

function spell(value: Value, verb: Verb): string | undefined {
  if (verb.letter === 'v' && !(typeof value === 'number' && verb.precision !== undefined)) {
    return verb.flags.includes('+') && typeof value === 'bigint' && value >= 0n
      ? `+${value}`
      : printValue(value);
  }
  if (verb.letter === 'T') return goType(value);
  if (typeof value === 'number') return spellFloat(value, verb);
  if (typeof value === 'bigint') return spellInteger(value, verb);
  if (typeof value === 'string') return spellString(value, verb);
  if (typeof value === 'boolean') return verb.letter === 't' ? String(value) : undefined;
  if (isSpan(value) && verb.letter === 'd') return String(value.nanoseconds);
  if (isList(value)) return `[${value.map((item) => print(item, verb)).join(' ')}]`;
  return verb.letter === 's' ? printValue(value) : undefined;
}

function spellFloat(value: number, verb: Verb): string | undefined {
  const sign = value >= 0 ? (verb.flags.includes('+') ? '+' : verb.flags.includes(' ') ? ' ' : '') : '';
  if (!Number.isFinite(value)) return 'feEgGvF'.includes(verb.letter) ? formatFloat(value) : undefined;
  switch (verb.letter) {
    case 'f':
    case 'F':
      return sign + toFixedEven(value, verb.precision ?? 6);
    case 'e':
    case 'E': {
      const text = toExponentialEven(value, verb.precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
      return sign + (verb.letter === 'E' ? text.toUpperCase() : text);
    }
    case 'g':
    case 'G':
    case 'v': {
      const text =
        verb.precision === undefined
          ? formatGeneral(value)
          : toPrecisionEven(value, Math.max(1, verb.precision));
      return sign + (verb.letter === 'G' ? text.toUpperCase() : text);
    }
    default:
      return undefined;
  }
}

const RADIX: Readonly<Record<string, number>> = { b: 2, o: 8, d: 10, x: 16, X: 16 };

function spellInteger(value: bigint, verb: Verb): string | undefined {
  const sign = value >= 0n ? (verb.flags.includes('+') ? '+' : verb.flags.includes(' ') ? ' ' : '') : '';
  const radix = RADIX[verb.letter];
  if (radix !== undefined) {
    const text = value.toString(radix);
    return sign + (verb.letter === 'X' ? text.toUpperCase() : text);
  }
  if (verb.letter === 'c') return String.fromCodePoint(Number(value) > 0x10ffff ? 0xfffd : Number(value));
  if (verb.letter === 'q') return `'${String.fromCodePoint(Number(value))}'`;
  return undefined;
}

function spellString(value: string, verb: Verb): string | undefined {
  const cut = verb.precision === undefined ? value : [...value].slice(0, verb.precision).join('');
  if (verb.letter === 's') return cut;
  if (verb.letter === 'q') return quote(cut);
  if (verb.letter !== 'x' && verb.letter !== 'X') return undefined;
  const hex = Buffer.from(cut).toString('hex');
  return verb.letter === 'X' ? hex.toUpperCase() : hex;
}

function pad(text: string, value: Value, verb: Verb): string {
  const missing = verb.width - [...text].length;
  if (missing <= 0) return text;
  if (verb.flags.includes('-')) return text + ' '.repeat(missing);
  const numeric = typeof value === 'number' ? Number.isFinite(value) : typeof value === 'bigint';
  if (!verb.flags.includes('0') || !numeric) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}
