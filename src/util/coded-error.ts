/**
 * An error a caller or user can act on: a stable `code`, a message that names the place, the value and the
 * remedy, and the underlying error as `cause`. Anything else that is thrown is a defect in podvitals.
 */
export class CodedError extends Error {
  readonly code: string;
  /** Suggested HTTP status when the error reaches a client; 500 when left out. */
  readonly status: number;

  constructor(
    code: string,
    message: string,
    options: { readonly cause?: unknown; readonly status?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.status = options.status ?? 500;
  }
}

export function isCodedError(error: unknown): error is CodedError {
  return error instanceof CodedError;
}

/** The message of anything thrown, on one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');
}
