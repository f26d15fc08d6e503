/**
 * Templates as kubectl's `-o jsonpath=` takes them: text, `{.path}`, `{"text"}`, `{range .path}…{end}`. Paths know
 * fields, `*`, `..`, indexes, slices, unions and filters that compare. What is not there is nothing.
 * Source: kubernetes/client-go/util/jsonpath (parser.go, jsonpath.go); https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
export type JsonPathTemplate = readonly Part[];

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'range'; readonly path: Path; readonly body: JsonPathTemplate };

export interface Path {
  /** From the object as a whole, rather than from what a range or filter is at. */
  readonly fromRoot: boolean;
  readonly steps: readonly Step[];
}

export type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'all' | 'descendants' }
  | { readonly kind: 'slice'; readonly start?: number; readonly end?: number; readonly by: number }
  | { readonly kind: 'union'; readonly paths: readonly (readonly Step[])[] }
  | {
      readonly kind: 'filter';
      readonly left: Operand;
      readonly compare?: { readonly operator: Operator; readonly right: Operand };
    };

export type Operand = Path | { readonly literal: string | number | boolean };

export const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'] as const;
type Operator = (typeof OPERATORS)[number];

/** The template with everything filled in. */
export function printJsonPath(template: JsonPathTemplate, root: unknown): string {
  const print = (parts: JsonPathTemplate, current: unknown): string =>
    parts
      .map((part) => {
        if (part.kind === 'text') return part.text;
        const found = follow(part.path, root, current);
        if (part.kind === 'path') return found.map(textOf).join(' ');
        return found.map((each) => print(part.body, each)).join('');
      })
      .join('');
  return print(template, root);
}

/** All that the paths of a template lead to. */
export function findJsonPath(template: JsonPathTemplate, root: unknown): readonly unknown[] {
  const find = (parts: JsonPathTemplate, current: unknown): readonly unknown[] =>
    parts.flatMap((part) => {
      if (part.kind === 'text') return [];
      const found = follow(part.path, root, current);
      return part.kind === 'path' ? found : found.flatMap((each) => find(part.body, each));
    });
  return find(template, root);
}

/** Of a value that a path led to. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const follow = ({ fromRoot, steps }: Path, root: unknown, current: unknown): readonly unknown[] =>
  walk(steps, [fromRoot ? root : current], root);

const walk = (steps: readonly Step[], from: readonly unknown[], root: unknown): readonly unknown[] =>
  steps.reduce((at, step) => at.flatMap((value) => take(step, value, root)), from);

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const childrenOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : isMap(value) ? Object.values(value) : [];

function take(step: Step, value: unknown, root: unknown): readonly unknown[] {
  switch (step.kind) {
    case 'field':
      return isMap(value) && Object.hasOwn(value, step.name) && value[step.name] !== undefined
        ? [value[step.name]]
        : [];
    case 'all':
      return childrenOf(value);
    case 'descendants':
      return [value, ...childrenOf(value).flatMap((child) => take(step, child, root))];
    case 'slice':
      return Array.isArray(value) ? sliced(value, step) : [];
    case 'union':
      return step.paths.flatMap((path) => walk(path, [value], root));
    case 'filter':
      return childrenOf(value).filter((child) => passes(step, child, root));
  }
}

function sliced(list: readonly unknown[], step: Step & { readonly kind: 'slice' }): readonly unknown[] {
  const { start = 0, end = list.length, by } = step;
  const from = Math.max(0, start < 0 ? start + list.length : start);
  const to = Math.max(0, Math.min(list.length, end < 0 ? end + list.length : end));
  return list.slice(from, to).filter((_, index) => index % by === 0);
}

function passes(
  { left, compare }: Step & { readonly kind: 'filter' },
  child: unknown,
  root: unknown,
): boolean {
  const value = (operand: Operand) =>
    'literal' in operand ? [operand.literal] : follow(operand, root, child);
  const [lefts, rights] = [value(left), compare ? value(compare.right) : []];
  if (!compare) return lefts.length > 0;
  if (lefts.length !== 1 || rights.length !== 1) return false;
  const [a, b] = [lefts[0], rights[0]] as [never, never];
  switch (compare.operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return typeof a === typeof b && a < b;
    case '<=':
      return typeof a === typeof b && a <= b;
    case '>':
      return typeof a === typeof b && a > b;
    case '>=':
      return typeof a === typeof b && a >= b;
  }
}
