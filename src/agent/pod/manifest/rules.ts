import { isAbsolute } from 'node:path/posix';
import { nearestName } from './nearest-name.ts';
import type { Path, Report } from './problem.ts';

export function oneOf(
  value: string | undefined,
  allowed: readonly string[],
  path: Path,
  report: Report,
): void {
  if (value === undefined || allowed.includes(value)) return;
  const near = nearestName(value, allowed);
  const words = allowed.map((word) => (word === '' ? '""' : word)).join(', ');
  report({
    path,
    value,
    message: `must be one of ${words}${near === undefined ? '' : `; did you mean ${near}?`}`,
  });
}

export function atLeast(value: number | undefined, least: number, path: Path, report: Report): void {
  if (value !== undefined && value < least) report({ path, value, message: `must be at least ${least}` });
}

/** Exactly one of the fields is set. */
export function exactlyOne(object: object, fields: readonly string[], path: Path, report: Report): void {
  const set = fields.filter((field) => (object as Record<string, unknown>)[field] !== undefined);
  if (set.length === 1) return;
  const found = set.length === 0 ? 'none is set' : `${set.join(' and ')} are set`;
  report({ path, message: `needs exactly one of ${fields.join(', ')}; ${found}` });
}

export function checkRelative(value: string, path: Path, report: Report): void {
  if (value === '' || isAbsolute(value) || value.split('/').includes('..')) {
    report({ path, value, message: 'must be a relative path without ..' });
  }
}
