import { readYaml } from '../agent/pod/manifest/yaml-documents.ts';
import { CodedError, messageOf } from '../util/coded-error.ts';
import { inputText } from './input-text.ts';
import type { ConnectionFlags } from './program.ts';

/** One object that a command line means. */
export interface ObjectTarget {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * The objects of manifests, in their order, those of a List among them; `-` is standard input.
 * @throws CodedError when a file cannot be read.
 */
export async function manifestTargets(
  paths: readonly string[],
  flags: ConnectionFlags,
): Promise<ObjectTarget[]> {
  const targets: ObjectTarget[] = [];
  for (const path of paths) targets.push(...(await targetsOf(path, flags)));
  return targets;
}

async function targetsOf(path: string, flags: ConnectionFlags): Promise<ObjectTarget[]> {
  const text = await inputText(path).catch((error: unknown) => {
    throw new CodedError('FILE_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  });
  const { documents, errors } = readYaml(text);
  const error = errors[0];
  if (error !== undefined)
    throw new CodedError('MANIFEST_INVALID', `${path}:${error.line}: ${error.message}`);
  const values = documents.map(({ value }) => value as Written | null).flatMap(itemsOf);
  return values.map((object) => {
    if (typeof object?.kind !== 'string' || typeof object.metadata?.name !== 'string')
      throw new CodedError('MANIFEST_INVALID', `${path}: every document needs kind and metadata.name`);
    return {
      kind: object.kind,
      namespace: object.metadata.namespace ?? flags.namespace ?? 'default',
      name: object.metadata.name,
    };
  });
}

interface Written {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly items?: readonly (Written | null)[];
}

const itemsOf = (object: Written | null): readonly (Written | null)[] =>
  object?.kind === 'List' && Array.isArray(object.items) ? object.items : [object];
