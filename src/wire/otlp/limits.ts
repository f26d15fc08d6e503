import { CodedError } from '../../util/coded-error.ts';

/** What a receiver takes in one request. */
export interface OtlpLimits {
  /** Of the body, unpacked. */
  readonly bodyBytes: number;
  readonly dataPoints: number;
  readonly logRecords: number;
  readonly attributes: number;
  readonly buckets: number;
}

export const DEFAULT_OTLP_LIMITS: OtlpLimits = {
  bodyBytes: 16 * 1024 * 1024,
  dataPoints: 200_000,
  logRecords: 20_000,
  attributes: 128,
  buckets: 512,
};

export function beyondLimit(what: string, limit: number): CodedError {
  return new CodedError(
    'OTLP_LIMIT',
    `the OTLP request has more than ${limit} ${what}; nothing of it was stored: send smaller batches`,
    { status: 413 },
  );
}
