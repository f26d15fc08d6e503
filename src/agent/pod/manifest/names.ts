import type { Path, Report } from './problem.ts';

/** A rule on a string, and what it allows in words. */
interface Rule {
  readonly pattern: RegExp;
  readonly longest: number;
  readonly allowed: string;
}

// Source: k8s.io/apimachinery/pkg/util/validation/validation.go
export const DNS_LABEL: Rule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  longest: 63,
  allowed:
    'lower-case letters, digits and -, beginning and ending with a letter or digit, at most 63 characters',
};
export const DNS_SUBDOMAIN: Rule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  longest: 253,
  allowed:
    'lower-case letters, digits, - and ., each part beginning and ending with a letter or digit, at most 253 characters',
};
export const LABEL_VALUE: Rule = {
  pattern: /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
  longest: 63,
  allowed: 'letters, digits, -, _ and ., beginning and ending with a letter or digit, at most 63 characters',
};
export const PORT_NAME: Rule = {
  pattern: /^(?!.*--)(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  longest: 15,
  allowed: 'lower-case letters, digits and -, at least one letter, at most 15 characters',
};
export const CONFIG_KEY: Rule = {
  pattern: /^(?!\.\.?$)(?!\.\.)[-._a-zA-Z0-9]+$/,
  longest: 253,
  allowed: 'letters, digits, -, _ and ., at most 253 characters',
};

export function checkName(value: string, rule: Rule, path: Path, report: Report): void {
  if (value.length > rule.longest || !rule.pattern.test(value)) {
    report({ path, value, message: `must be ${rule.allowed}` });
  }
}

const LONGEST_ANNOTATIONS_BYTES = 256 * 1024;

/** Keys are `name` or `prefix/name`. */
export function checkQualifiedKeys(
  entries: Readonly<Record<string, string>>,
  path: Path,
  report: Report,
): void {
  for (const key of Object.keys(entries)) {
    const [name, prefix] = key.split('/').reverse() as [string, string?];
    const sound =
      key.split('/').length <= 2 &&
      name !== '' &&
      name.length <= LABEL_VALUE.longest &&
      LABEL_VALUE.pattern.test(name) &&
      (prefix === undefined || (prefix.length <= 253 && DNS_SUBDOMAIN.pattern.test(prefix)));
    if (!sound)
      report({
        path: [...path, key],
        message: `must be NAME or DOMAIN/NAME, NAME of ${LABEL_VALUE.allowed}`,
      });
  }
}

export function checkLabels(labels: Readonly<Record<string, string>>, path: Path, report: Report): void {
  checkQualifiedKeys(labels, path, report);
  for (const [key, value] of Object.entries(labels)) checkName(value, LABEL_VALUE, [...path, key], report);
}

export function checkAnnotations(
  annotations: Readonly<Record<string, string>>,
  path: Path,
  report: Report,
): void {
  checkQualifiedKeys(annotations, path, report);
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + key.length + Buffer.byteLength(value),
    0,
  );
  if (bytes > LONGEST_ANNOTATIONS_BYTES) {
    report({
      path,
      message: `annotations take ${bytes} bytes; at most ${LONGEST_ANNOTATIONS_BYTES} are allowed`,
    });
  }
}
