import { PbfWriter } from 'pbf';
import type { AgentRecord } from '../../model/record.ts';
import { type Attributes, writeAnyValue, writeKeyValue } from './any-value.ts';
import { type LogRecord, toLog } from './log-record.ts';
import { writeNanoseconds } from './protobuf.ts';
import { type ResourceFacts, writeResource, writeScope } from './resource.ts';

// Field numbers of opentelemetry/proto/logs/v1/logs.proto and collector/logs/v1/logs_service.proto.

/** An ExportLogsServiceRequest of records, in their order. Neighbours about one pod share its resource. */
export function encodeRecords(records: readonly AgentRecord[], facts: ResourceFacts): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(4096));
  for (const group of neighbours(records)) writer.writeMessage(1, writeResourceLogs, { ...group, facts });
  return writer.finish();
}

interface Group {
  readonly resource: Attributes;
  readonly logs: LogRecord[];
}

function neighbours(records: readonly AgentRecord[]): readonly Group[] {
  const groups: Group[] = [];
  let lastKey = '';
  for (const record of records) {
    const { resource, log } = toLog(record);
    const key = JSON.stringify([...resource]);
    if (groups.length === 0 || key !== lastKey) groups.push({ resource, logs: [log] });
    else groups.at(-1)!.logs.push(log);
    lastKey = key;
  }
  return groups;
}

function writeResourceLogs(group: Group & { readonly facts: ResourceFacts }, writer: PbfWriter): void {
  writer.writeMessage(1, (_, w: PbfWriter) => writeResource(group.facts, group.resource, w), undefined);
  writer.writeMessage(2, writeScopeLogs, group);
}

function writeScopeLogs(group: Group & { readonly facts: ResourceFacts }, writer: PbfWriter): void {
  writer.writeMessage(1, writeScope, group.facts);
  for (const log of group.logs) writer.writeMessage(2, writeLogRecord, log);
}

function writeLogRecord(log: LogRecord, writer: PbfWriter): void {
  writeNanoseconds(writer, 1, log.timeMs);
  writer.writeVarintField(2, log.severityNumber);
  writer.writeStringField(3, log.severityText);
  writer.writeMessage(5, writeAnyValue, log.body);
  for (const [key, value] of log.attributes) writeKeyValue(writer, 6, key, value);
  writeNanoseconds(writer, 11, log.timeMs);
  writer.writeStringField(12, log.eventName);
}
