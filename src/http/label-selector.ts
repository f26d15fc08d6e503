import { CodedError } from '../util/coded-error.ts';

/** Tells whether an object's labels are selected. */
export type LabelSelector = (labels: Readonly<Record<string, string>>) => boolean;

const NAME = `[A-Za-z0-9](?:[-A-Za-z0-9_./]{0,315}[A-Za-z0-9])?`;
const VALUE = `(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?`;
const EQUALITY = new RegExp(`^(${NAME})\\s*(==|=|!=)\\s*(${VALUE})$`);
const SET = new RegExp(`^(${NAME})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const EXISTS = new RegExp(`^(!?)\\s*(${NAME})$`);

/**
 * A selector in kubectl's notation: `app=cart,tier!=primary,team in (checkout, search),!canary`. All conditions must
 * hold; `!=` and `notin` also select objects without the label. Empty selects everything.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 *
 * @throws LABEL_SELECTOR_INVALID (400) naming the condition.
 */
export function parseLabelSelector(text: string): LabelSelector {
  // Commas inside parentheses separate values, not conditions.
  const conditions = text
    .split(/,(?![^()]*\))/)
    .map((condition) => condition.trim())
    .filter((condition) => condition !== '')
    .map(parseCondition);
  return (labels) => conditions.every((holds) => holds(labels));
}

function parseCondition(text: string): LabelSelector {
  const equality = EQUALITY.exec(text);
  if (equality) {
    const [, name, operator, value] = equality as unknown as [string, string, string, string];
    return operator === '!='
      ? (labels) => labelOf(labels, name) !== value
      : (labels) => labelOf(labels, name) === value;
  }
  const set = SET.exec(text);
  if (set) {
    const [, name, operator, list] = set as unknown as [string, string, string, string];
    const values: readonly (string | undefined)[] = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labelOf(labels, name)) === (operator === 'in');
  }
  const exists = EXISTS.exec(text);
  if (exists) {
    const [, not, name] = exists as unknown as [string, string, string];
    return (labels) => (labelOf(labels, name) !== undefined) === (not === '');
  }
  throw new CodedError(
    'LABEL_SELECTOR_INVALID',
    `labelSelector: "${text.slice(0, 100)}" is no condition; write NAME=VALUE, NAME!=VALUE, NAME in (A, B), NAME notin (A, B), NAME or !NAME`,
    { status: 400 },
  );
}

function labelOf(labels: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}
