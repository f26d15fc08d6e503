import type { PbfReader, PbfWriter } from 'pbf';
import { type AnyValue, type Attributes, readKeyValue, writeKeyValue } from './any-value.ts';
import { enter, malformed, readText, scan } from './protobuf.ts';

/** Who speaks: facts that go with everything an agent sends. */
export interface ResourceFacts {
  readonly node: string;
  /** `<node>:7639`; becomes the label `instance`. */
  readonly instance: string;
  readonly version: string;
}

/** The instrumentation scope of everything that is ours; what has another scope is translated as foreign. */
export const SCOPE_NAME = 'podvitals';
export const NODE_ATTRIBUTE = 'k8s.node.name';
export const INSTANCE_ATTRIBUTE = 'service.instance.id';

export function writeResource(
  facts: ResourceFacts,
  attributes: Iterable<readonly [string, AnyValue]>,
  writer: PbfWriter,
): void {
  writeKeyValue(writer, 1, 'service.name', 'podvitals-agent');
  writeKeyValue(writer, 1, 'service.version', facts.version);
  writeKeyValue(writer, 1, INSTANCE_ATTRIBUTE, facts.instance);
  for (const [key, value] of attributes) writeKeyValue(writer, 1, key, value);
}

export function writeScope(facts: ResourceFacts, writer: PbfWriter): void {
  writer.writeStringField(1, SCOPE_NAME);
  writer.writeStringField(2, facts.version);
}

export function readResource(reader: PbfReader, end: number, maxAttributes: number): Attributes {
  return readAttributes(reader, end, 1, maxAttributes);
}

/** The attributes in field `wanted` of the message that ends at `end`. */
export function readAttributes(reader: PbfReader, end: number, wanted: number, max: number): Attributes {
  const attributes = new Map<string, AnyValue>();
  scan(reader, end, (field) => {
    if (field !== wanted) return;
    if (attributes.size >= max) throw malformed(`more than ${max} attributes`);
    const [key, value] = readKeyValue(reader, enter(reader));
    attributes.set(key, value);
  });
  return attributes;
}

export function readScopeName(reader: PbfReader, end: number): string {
  let name = '';
  scan(reader, end, (field) => {
    if (field === 1) name = readText(reader);
  });
  return name;
}
