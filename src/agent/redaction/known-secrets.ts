import type { Secret } from '../../model/kubernetes.ts';
import { secretNameStrength } from './secret-name.ts';
import { REDACTED } from './secret-shape.ts';

/** Values of Secrets that pods were given: found wherever they turn up, though nothing about their looks gives them away. */
export interface KnownSecrets {
  /** Takes note of what such an object holds; a value is known for good. Other objects are ignored. */
  learn(objects: readonly { readonly kind: string }[]): void;
  /** Plain data with each known value replaced, also as base64 and as a URL writes it. */
  hide<T>(value: T): T;
}

const MOST_VALUES = 500;
const MOST_BYTES = 4096;
const SHORTEST = 8;
const SHORTEST_LINE = 16;
// What a Secret holds beside its secret, and a log must be able to name.
const NO_SECRETS =
  /user|login|host|port|server|url|uri|endpoint|region|zone|database|^db$|name|email|scheme|path|bucket|ca\.crt|tls\.crt|\.pub$/i;

export function createKnownSecrets(): KnownSecrets {
  const values = new Set<string>();
  const note = (value: string) => {
    values.delete(value);
    values.add(value);
    if (values.size > MOST_VALUES) values.delete(values.values().next().value!);
  };
  const hideText = (text: string): string => {
    let hidden = text;
    for (const value of values) if (hidden.includes(value)) hidden = hidden.replaceAll(value, REDACTED);
    return hidden;
  };
  const hide = (value: unknown): unknown => {
    if (typeof value === 'string') return hideText(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(hide);
    return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, hide(child)]));
  };
  return {
    learn(objects) {
      for (const object of objects) {
        if (object.kind !== 'Secret') continue;
        for (const value of secretValues(object as Secret)) note(value);
      }
    },
    hide: <T>(value: T) => (values.size === 0 ? value : (hide(value) as T)),
  };
}

function secretValues({ data = {} }: Secret): readonly string[] {
  return Object.entries(data).flatMap(([name, encoded]) => {
    if (NO_SECRETS.test(name) && secretNameStrength(name) === undefined) return [];
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.length > MOST_BYTES) return [];
    const text = bytes.toString('utf8').trim();
    const lines = text.split(/\r?\n/).map((line) => line.trim());
    const shown = lines.length > 1 ? lines.filter((line) => line.length >= SHORTEST_LINE) : lines;
    return shown
      .filter((line) => line.length >= SHORTEST && !/^-----/.test(line))
      .flatMap((line) => [
        ...new Set([line, encodeURIComponent(line), Buffer.from(line).toString('base64'), encoded]),
      ]);
  });
}
