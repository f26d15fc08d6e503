import { KUBERNETES_FIELDS } from './generated/kubernetes-fields.ts';
import { nearestName } from './nearest-name.ts';
import type { Path, Report } from './problem.ts';

/** Typed `string` in the API's description, but numbers are taken too and mean the same. */
const QUANTITIES: ReadonlySet<string> = new Set([
  'V1ResourceRequirements.limits',
  'V1ResourceRequirements.requests',
  'V1EmptyDirVolumeSource.sizeLimit',
  'V1ResourceFieldSelector.divisor',
]);

interface Scalar {
  readonly accepts: (value: unknown) => boolean;
  readonly word: string;
}

const SCALARS: Readonly<Record<string, Scalar>> = {
  string: { accepts: (value) => typeof value === 'string', word: 'a string' },
  time: { accepts: (value) => typeof value === 'string', word: 'a time as a string' },
  boolean: { accepts: (value) => typeof value === 'boolean', word: 'true or false' },
  integer: { accepts: Number.isSafeInteger, word: 'a whole number' },
  number: { accepts: (value) => typeof value === 'number', word: 'a number' },
  IntOrString: {
    accepts: (value) => Number.isSafeInteger(value) || typeof value === 'string',
    word: 'a whole number or a string',
  },
  byte: { accepts: (value) => typeof value === 'string', word: 'base64 in a string' },
  quantity: {
    accepts: (value) => typeof value === 'string' || typeof value === 'number',
    word: 'a quantity such as 100m or 64Mi',
  },
  any: { accepts: () => true, word: 'anything' },
};

/** Called for every field that is there. */
export type Visit = (type: string, field: string, value: unknown, path: Path) => void;

/**
 * Checks a value against a type of the Kubernetes API. The result is a copy that is sound as far as it goes: fields
 * that are null, unknown or of the wrong type are left out of it.
 */
export function checkFields(value: unknown, type: string, path: Path, report: Report, visit: Visit): unknown {
  if (type.endsWith('[]')) {
    if (!Array.isArray(value)) return wrong(value, 'a list', path, report);
    const checked = value.map((item, index) =>
      checkFields(item, type.slice(0, -2), [...path, index], report, visit),
    );
    return checked.filter((item) => item !== undefined);
  }
  if (type.endsWith('{}')) return checkMap(value, type.slice(0, -2), path, report);
  const scalar = SCALARS[type];
  if (scalar) {
    if (!scalar.accepts(value)) return wrong(value, scalar.word, path, report);
    return type === 'quantity' ? String(value) : value;
  }
  return checkObject(value, type, path, report, visit);
}

function checkMap(value: unknown, type: string, path: Path, report: Report): unknown {
  if (!isRecord(value)) return wrong(value, 'a map', path, report);
  const checked: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const sound = checkFields(item, type, [...path, key], report, () => {});
    if (sound !== undefined) checked.push([key, sound]);
  }
  return Object.fromEntries(checked);
}

function checkObject(value: unknown, type: string, path: Path, report: Report, visit: Visit): unknown {
  const fields = KUBERNETES_FIELDS[type]!;
  if (!isRecord(value)) return wrong(value, 'a map of fields', path, report);
  const checked: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    if (!Object.hasOwn(fields, name)) {
      const near = nearestName(name, Object.keys(fields));
      const hint =
        near === undefined ? `known are: ${Object.keys(fields).join(', ')}` : `did you mean ${near}?`;
      report({ path: [...path, name], message: `unknown field; ${hint}` });
      continue;
    }
    if (item === null || item === undefined) continue;
    visit(type, name, item, [...path, name]);
    const sound = checkFields(item, typeOf(type, name, fields[name]!), [...path, name], report, visit);
    if (sound !== undefined) checked[name] = sound;
  }
  for (const [name, fieldType] of Object.entries(fields)) {
    const missing = value[name] === undefined || value[name] === null;
    if (fieldType.endsWith('!') && missing)
      report({ path: [...path, name], message: 'required, but missing', structural: true });
  }
  return checked;
}

function typeOf(type: string, field: string, written: string): string {
  const plain = written.replace('!', '');
  return QUANTITIES.has(`${type}.${field}`) ? plain.replace('string', 'quantity') : plain;
}

function wrong(value: unknown, word: string, path: Path, report: Report): undefined {
  const quote =
    word === 'a string' && ['number', 'boolean'].includes(typeof value) ? '; put it in quotes' : '';
  report({ path, value, message: `must be ${word}${quote}`, structural: true });
  return undefined;
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
