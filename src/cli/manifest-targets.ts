import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { CodedError, messageOf } from '../util/coded-error.ts';
import type { ConnectionFlags } from './program.ts';

/** One object that a command line means. */
export interface ObjectTarget {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The objects of a manifest, in its order; `-` is standard input. @throws CodedError when it cannot be read. */
export function manifestTargets(path: string, flags: ConnectionFlags): ObjectTarget[] {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new CodedError('FILE_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  return parseAllDocuments(text)
    .map(
      (document) =>
        document.toJS() as { kind?: string; metadata?: { name?: string; namespace?: string } } | null,
    )
    .filter((object) => object !== null)
    .map((object) => {
      if (typeof object.kind !== 'string' || typeof object.metadata?.name !== 'string') {
        throw new CodedError('MANIFEST_INVALID', `${path}: every document needs kind and metadata.name`);
      }
      return {
        kind: object.kind,
        namespace: object.metadata.namespace ?? flags.namespace ?? 'default',
        name: object.metadata.name,
      };
    });
}
