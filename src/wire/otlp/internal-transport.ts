import { isCodedError, messageOf } from '../../util/coded-error.ts';
import { decodeExportResponse } from './export-response.ts';
import type { OtlpSignal, OtlpTransport } from './transport.ts';

/** The receiver's two functions: bytes of the request to bytes of the response. */
export type OtlpHandlers = Readonly<Record<OtlpSignal, (request: Uint8Array) => Promise<Uint8Array>>>;

/** Hands the same bytes to a receiver in this process. */
export function internalTransport(receiver: OtlpHandlers): OtlpTransport {
  return {
    async export(signal, request) {
      try {
        return { kind: 'accepted', ...decodeExportResponse(await receiver[signal](request)) };
      } catch (error) {
        const kind = isCodedError(error) && error.status < 500 && error.status !== 429 ? 'refused' : 'retry';
        return { kind, message: messageOf(error) };
      }
    },
    async close() {},
  };
}
