import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
} from 'yaml';
import { messageOf } from '../../../util/coded-error.ts';
import type { Path } from './problem.ts';

/** One document of a YAML file, as plain values, and where each lies. */
export interface YamlDocument {
  readonly value: unknown;
  /** The line of the nearest thing that is there, counted from 1. */
  lineOf(path: Path): number;
}

export interface YamlError {
  readonly line: number;
  readonly message: string;
}

// The API server takes 3 MiB; aliases may not multiply what a file says.
export const LONGEST_FILE_BYTES = 3 * 2 ** 20;
const MOST_ALIASES = 100;

/**
 * Reads YAML as kubectl does: version 1.1 (`0644` is octal, `yes` a boolean) with merge keys, but no dates.
 * Errors do not stop other documents from being read.
 */
export function readYaml(text: string): { readonly documents: YamlDocument[]; readonly errors: YamlError[] } {
  const errors: YamlError[] = [];
  if (Buffer.byteLength(text) > LONGEST_FILE_BYTES) {
    return {
      documents: [],
      errors: [{ line: 1, message: `the file is larger than ${LONGEST_FILE_BYTES} bytes` }],
    };
  }
  const lines = new LineCounter();
  const documents: YamlDocument[] = [];
  try {
    for (const document of parseAllDocuments(text, {
      version: '1.1',
      merge: true,
      lineCounter: lines,
      prettyErrors: false,
      customTags: (tags) => tags.filter((tag) => !isDate(tag)),
    })) {
      for (const { message, pos } of document.errors)
        errors.push({ line: lines.linePos(pos[0]).line, message });
      if (document.errors.length > 0 || isNothing(document.contents)) continue;
      documents.push(read(document as Document.Parsed, lines));
    }
  } catch (error) {
    // Too many aliases, or nesting too deep for the parser.
    errors.push({ line: 1, message: messageOf(error) });
  }
  return { documents, errors };
}

/** Between two `---`, or after the last, there may be nothing: kubectl passes over it. */
const isNothing = (contents: unknown) => contents === null || (isScalar(contents) && contents.value === null);

const isDate = (tag: unknown) =>
  typeof tag === 'object' && (tag as { tag?: string }).tag === 'tag:yaml.org,2002:timestamp';

function read(document: Document.Parsed, lines: LineCounter): YamlDocument {
  return {
    value: document.toJS({ maxAliasCount: MOST_ALIASES }),
    lineOf(path) {
      let node = document.contents as ParsedNode | null | undefined;
      let offset = node?.range?.[0] ?? 0;
      for (const step of path) {
        if (isAlias(node)) node = node.resolve(document) as ParsedNode | undefined;
        if (isMap(node)) {
          const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
          if (!pair) break;
          offset = (pair.key as ParsedNode).range[0];
          node = pair.value as ParsedNode | null;
        } else if (isSeq(node) && typeof step === 'number') {
          node = node.items[step] as ParsedNode | undefined;
          offset = node?.range?.[0] ?? offset;
        } else break;
      }
      return lines.linePos(offset).line;
    },
  };
}
