import { PbfReader, PbfWriter } from 'pbf';
import { enter, readText, readVarint, scan } from './protobuf.ts';

/**
 * How long a gRPC receiver asks to wait, from the trailer `grpc-status-details-bin`: a google.rpc.Status whose
 * details hold a google.rpc.RetryInfo. Undefined when it does not say, or says it in a way we cannot read.
 * Source: https://opentelemetry.io/docs/specs/otlp/#failures, googleapis google/rpc/{status,error_details}.proto
 */
export function readRetryDelayMs(details: Uint8Array): number | undefined {
  let delayMs: number | undefined;
  try {
    const reader = new PbfReader(details);
    scan(reader, reader.length, (field) => {
      if (field === 3) delayMs = readDetail(reader, enter(reader)) ?? delayMs;
    });
    return delayMs;
  } catch {
    return undefined;
  }
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

function readDetail(reader: PbfReader, end: number): number | undefined {
  let type = '';
  let delayMs = 0;
  scan(reader, end, (field) => {
    if (field === 1) type = readText(reader);
    else if (field === 2) {
      const stop = enter(reader);
      if (type === RETRY_INFO) delayMs = readRetryInfo(reader, stop);
      else reader.pos = stop;
    }
  });
  return type === RETRY_INFO ? delayMs : undefined;
}

function readRetryInfo(reader: PbfReader, end: number): number {
  let seconds = 0;
  let nanos = 0;
  scan(reader, end, (field) => {
    if (field !== 1) return;
    scan(reader, enter(reader), (inner) => {
      if (inner === 1) seconds = readVarint(reader);
      else if (inner === 2) nanos = readVarint(reader);
    });
  });
  return seconds * 1000 + Math.round(nanos / 1_000_000);
}

/** The trailer that asks a sender to wait `delayMs`. */
export function writeRetryDelay(code: number, message: string, delayMs: number): Uint8Array {
  const writer = new PbfWriter();
  writer.writeVarintField(1, code);
  writer.writeStringField(2, message);
  writer.writeMessage(3, writeRetryInfo, delayMs);
  return writer.finish();
}

function writeRetryInfo(delayMs: number, writer: PbfWriter): void {
  writer.writeStringField(1, RETRY_INFO);
  writer.writeMessage(2, (ms, info) => info.writeMessage(1, writeDuration, ms), delayMs);
}

function writeDuration(ms: number, writer: PbfWriter): void {
  writer.writeVarintField(1, Math.floor(ms / 1000));
  writer.writeVarintField(2, (ms % 1000) * 1_000_000);
}
