import type { Expr } from './expr.ts';

/** Characters of all texts kept: a tree takes some hundred bytes for each. */
const MOST_CHARACTERS = 256 * 1024;

/** Trees of texts parsed before: rules and dashboards ask the same thousands of times. Bounded; forgets all at once. */
export interface ParseCache {
  get(text: string): Expr | undefined;
  set(text: string, expr: Expr): void;
}

export function createParseCache(mostCharacters = MOST_CHARACTERS): ParseCache {
  const kept = new Map<string, Expr>();
  let characters = 0;
  return {
    get: (text) => kept.get(text),
    set(text, expr) {
      if (text.length > mostCharacters / 16) return;
      characters += text.length;
      if (characters > mostCharacters) {
        kept.clear();
        characters = text.length;
      }
      kept.set(text, expr);
    },
  };
}
