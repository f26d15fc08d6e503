import type { PbfReader } from 'pbf';
import { type AnyValue, type Attributes, readAnyValue, readKeyValue } from './any-value.ts';
import { beyondLimit, type OtlpLimits } from './limits.ts';
import type { LogRecord, ResourceLog } from './log-record.ts';
import { enter, malformed, readMilliseconds, readText, readVarint, scan } from './protobuf.ts';
import { readResource } from './resource.ts';

// Field numbers of opentelemetry/proto/logs/v1/logs.proto.

/** The log records of an ExportLogsServiceRequest, in their order. */
export function readLogs(reader: PbfReader, limits: OtlpLimits): readonly ResourceLog[] {
  const logs: ResourceLog[] = [];
  scan(reader, reader.length, (field) => {
    if (field === 1) readResourceLogs(reader, enter(reader), limits, logs);
  });
  return logs;
}

function readResourceLogs(reader: PbfReader, end: number, limits: OtlpLimits, logs: ResourceLog[]): void {
  let resource: Attributes = new Map<string, AnyValue>();
  const records: LogRecord[] = [];
  scan(reader, end, (field) => {
    if (field === 1) resource = readResource(reader, enter(reader), limits.attributes);
    else if (field === 2) {
      scan(reader, enter(reader), (inner) => {
        if (inner !== 2) return;
        if (logs.length + records.length >= limits.logRecords)
          throw beyondLimit('log records', limits.logRecords);
        records.push(readLogRecord(reader, enter(reader), limits));
      });
    }
  });
  for (const log of records) logs.push({ resource, log });
}

function readLogRecord(reader: PbfReader, end: number, limits: OtlpLimits): LogRecord {
  let timeMs = 0;
  let observedMs = 0;
  let severityNumber = 0;
  let severityText = '';
  let body: AnyValue = null;
  let eventName = '';
  const attributes = new Map<string, AnyValue>();
  scan(reader, end, (field) => {
    if (field === 1) timeMs = readMilliseconds(reader);
    else if (field === 11) observedMs = readMilliseconds(reader);
    else if (field === 2) severityNumber = readVarint(reader);
    else if (field === 3) severityText = readText(reader);
    else if (field === 5) body = readAnyValue(reader, enter(reader));
    else if (field === 6) {
      if (attributes.size >= limits.attributes) throw malformed(`more than ${limits.attributes} attributes`);
      attributes.set(...readKeyValue(reader, enter(reader)));
    } else if (field === 12) eventName = readText(reader);
  });
  return { eventName, timeMs: timeMs || observedMs, severityNumber, severityText, body, attributes };
}
