import type { PbfReader, PbfWriter } from 'pbf';
import { enter, malformed, readNumber, readSpan, readText, readVarint, scan } from './protobuf.ts';

// Field numbers of opentelemetry/proto/common/v1/common.proto.

/** What an attribute or a body can hold, as JSON has it; `undefined` is a value that was not set. */
export type AnyValue =
  | string
  | number
  | boolean
  | null
  | readonly AnyValue[]
  | { readonly [key: string]: AnyValue | undefined };

export type Attributes = ReadonlyMap<string, AnyValue>;

const DEEPEST = 64;

/** `null` becomes a value without content; members that are undefined are left out, as in JSON. */
export function writeAnyValue(value: AnyValue, writer: PbfWriter): void {
  if (typeof value === 'string') writer.writeStringField(1, value);
  else if (typeof value === 'boolean') writer.writeBooleanField(2, value);
  else if (typeof value === 'number') writeNumber(value, writer);
  else if (Array.isArray(value)) writer.writeMessage(5, writeArray, value);
  else if (value !== null)
    writer.writeMessage(6, writeKeyValues, value as Readonly<Record<string, AnyValue>>);
}

function writeNumber(value: number, writer: PbfWriter): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) writer.writeVarintField(3, value);
  else writer.writeDoubleField(4, value);
}

function writeArray(values: readonly AnyValue[], writer: PbfWriter): void {
  for (const value of values) writer.writeMessage(1, writeAnyValue, value ?? null);
}

function writeKeyValues(values: Readonly<Record<string, AnyValue | undefined>>, writer: PbfWriter): void {
  for (const [key, value] of Object.entries(values))
    if (value !== undefined) writeKeyValue(writer, 1, key, value);
}

/** One KeyValue as field `field`. */
export function writeKeyValue(writer: PbfWriter, field: number, key: string, value: AnyValue): void {
  writer.writeMessage(field, writePair, [key, value] as const);
}

function writePair([key, value]: readonly [string, AnyValue], writer: PbfWriter): void {
  writer.writeStringField(1, key);
  writer.writeMessage(2, writeAnyValue, value);
}

/** Reads the AnyValue that ends at `end`. Bytes become base64. */
export function readAnyValue(reader: PbfReader, end: number, depth = 0): AnyValue {
  if (depth > DEEPEST) throw malformed(`values nested deeper than ${DEEPEST}`);
  let value: AnyValue = null;
  scan(reader, end, (field) => {
    if (field === 1) value = readText(reader);
    else if (field === 2) value = readVarint(reader) !== 0;
    else if (field === 3) value = readVarint(reader);
    else if (field === 4) value = readNumber(reader);
    else if (field === 5) value = readArray(reader, enter(reader), depth + 1);
    else if (field === 6) value = readKeyValues(reader, enter(reader), depth + 1);
    else if (field === 7) value = Buffer.from(readSpan(reader)).toString('base64');
  });
  return value;
}

function readArray(reader: PbfReader, end: number, depth: number): AnyValue {
  const values: AnyValue[] = [];
  scan(reader, end, (field) => {
    if (field === 1) values.push(readAnyValue(reader, enter(reader), depth));
  });
  return values;
}

function readKeyValues(reader: PbfReader, end: number, depth: number): AnyValue {
  const entries: [string, AnyValue][] = [];
  scan(reader, end, (field) => {
    if (field === 1) entries.push(readKeyValue(reader, enter(reader), depth));
  });
  // Defines own members only: a key like `__proto__` reaches no prototype.
  return Object.fromEntries(entries);
}

export function readKeyValue(reader: PbfReader, end: number, depth = 0): [string, AnyValue] {
  let key = '';
  let value: AnyValue = null;
  scan(reader, end, (field) => {
    if (field === 1) key = readText(reader);
    else if (field === 2) value = readAnyValue(reader, enter(reader), depth);
  });
  return [key, value];
}

/** An attribute as the text of a label: JSON for what is no scalar. Source: prometheus otlptranslator, AsString */
export function attributeText(value: AnyValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
