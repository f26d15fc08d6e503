import { createHash } from 'node:crypto';

/**
 * The id of a record: a hash of the facts that make it the one it is (pod uid, container, attempt, reason, and what
 * tells several of these apart). An agent that starts again and tells the same fact tells it under the same id.
 */
export function recordId(...facts: readonly (string | number | undefined)[]): string {
  return createHash('sha256')
    .update(JSON.stringify(facts.map((fact) => fact ?? null)))
    .digest('hex')
    .slice(0, 32);
}
