import { PbfWriter } from 'pbf';
import { messageOf } from '../../util/coded-error.ts';
import { decodeWith, enter, readText, readVarint, scan } from './protobuf.ts';
import type { ExportOutcome } from './transport.ts';

/** What a receiver says to a request it took: how much of it it did not keep, and why. */
export interface ExportResponse {
  readonly rejected: number;
  readonly message: string;
}

// ExportMetricsServiceResponse and ExportLogsServiceResponse have the same fields.

export function encodeExportResponse({ rejected, message }: ExportResponse): Uint8Array {
  const writer = new PbfWriter();
  if (rejected > 0 || message !== '')
    writer.writeMessage(1, (_, w: PbfWriter) => writePartialSuccess({ rejected, message }, w), undefined);
  return writer.finish();
}

function writePartialSuccess({ rejected, message }: ExportResponse, writer: PbfWriter): void {
  writer.writeVarintField(1, rejected);
  writer.writeStringField(2, message);
}

/** @throws OTLP_MALFORMED */
export function decodeExportResponse(bytes: Uint8Array): ExportResponse {
  let rejected = 0;
  let message = '';
  decodeWith(bytes, (reader) =>
    scan(reader, reader.length, (field) => {
      if (field !== 1) return;
      scan(reader, enter(reader), (inner) => {
        if (inner === 1) rejected = readVarint(reader);
        else if (inner === 2) message = readText(reader);
      });
    }),
  );
  return { rejected, message };
}

/** The outcome of a 2xx or OK answer. A body that cannot be read does not undo that the request was taken. */
export function acceptedOf(response: Uint8Array | undefined): ExportOutcome {
  try {
    return { kind: 'accepted', ...decodeExportResponse(response ?? new Uint8Array()) };
  } catch (error) {
    return { kind: 'accepted', rejected: 0, message: `the answer cannot be read: ${messageOf(error)}` };
  }
}
