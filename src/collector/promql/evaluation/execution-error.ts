import { CodedError } from '../../../util/coded-error.ts';

/** The query is well formed and cannot be answered. Code `QUERY_EXECUTION`, status 422. */
export const executionError = (message: string): CodedError =>
  new CodedError('QUERY_EXECUTION', message, { status: 422 });
