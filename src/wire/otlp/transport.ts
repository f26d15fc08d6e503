/** Which of OTLP's services a request is for. */
export type OtlpSignal = 'metrics' | 'logs';

/**
 * What came of a request. `accepted`: it is the receiver's now, but for what partial success says it did not keep.
 * `retry`: send it again, not before `afterMs` when the receiver said so. `refused`: it never will be taken.
 */
export type ExportOutcome =
  | { readonly kind: 'accepted'; readonly rejected: number; readonly message: string }
  | { readonly kind: 'retry'; readonly message: string; readonly afterMs?: number }
  | { readonly kind: 'refused'; readonly message: string };

/** Brings encoded requests to a receiver. Never rejects; an aborted request is a `retry`. */
export interface OtlpTransport {
  export(signal: OtlpSignal, request: Uint8Array, abort?: AbortSignal): Promise<ExportOutcome>;
  close(): Promise<void>;
}
