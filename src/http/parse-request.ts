import type { z } from 'zod';
import { CodedError } from '../util/coded-error.ts';

/**
 * A part of a request by its schema. `place` says which: `query`, `path`, `body`.
 *
 * @throws REQUEST_INVALID (400), which names each field and what is wrong with it.
 */
export function parseRequest<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: string,
): z.infer<Schema> {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || place}: ${message}`);
  throw new CodedError('REQUEST_INVALID', `the ${place} is not valid: ${problems.join('; ')}`, {
    status: 400,
  });
}
