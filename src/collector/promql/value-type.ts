import type { Expr, ValueType } from './expr.ts';
import { signatures } from './functions/signature.ts';

/** The type of value `expr` gives. An unknown function counts as a vector. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'vector-selector':
    case 'aggregate':
      return 'vector';
    case 'matrix-selector':
    case 'subquery':
      return 'matrix';
    case 'paren':
    case 'unary':
      return typeOf(expr.expr);
    case 'binary':
      return typeOf(expr.lhs) === 'scalar' && typeOf(expr.rhs) === 'scalar' ? 'scalar' : 'vector';
    case 'call':
      return signatures.get(expr.name)?.returns ?? 'vector';
  }
}

const IN_WORDS: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  string: 'string',
  vector: 'instant vector',
  matrix: 'range vector',
};

/** A type in the words of the documentation: `instant vector`, `range vector`. */
export const typeInWords = (type: ValueType): string => IN_WORDS[type];
