import { InvalidArgumentError } from 'commander';
import type { Node } from '../model/kubernetes.ts';
import type { KubernetesObject } from '../model/kubernetes-object.ts';
import { CodedError } from '../util/coded-error.ts';
import { findJsonPath, type JsonPathTemplate } from './json-path.ts';
import { parseRelaxedPath } from './json-path-parser.ts';

/** What `wait --for` waits for. Source: kubectl/pkg/cmd/wait/wait.go, conditionFuncsFor */
export type WaitCondition =
  | { readonly kind: 'create' | 'delete' }
  | { readonly kind: 'condition'; readonly type: string; readonly status: string }
  /** Without a value whatever is there will do. */
  | { readonly kind: 'jsonpath'; readonly path: JsonPathTemplate; readonly value?: string };

/** Of an object that is there. */
export type ObjectCondition = Extract<WaitCondition, { kind: 'condition' | 'jsonpath' }>;

/** @throws InvalidArgumentError in kubectl's words. */
export function parseWaitCondition(text: string): WaitCondition {
  const word = text.toLowerCase();
  if (word === 'create' || word === 'delete') return { kind: word };
  if (text.startsWith('condition=')) {
    const [type = '', ...status] = text.slice('condition='.length).split('=');
    return { kind: 'condition', type, status: status.length === 0 ? 'true' : status.join('=') };
  }
  if (text.startsWith('jsonpath=')) return parseJsonPathCondition(text.slice('jsonpath='.length));
  throw new InvalidArgumentError(
    `unrecognized condition: "${text}"; write create, delete, condition=TYPE[=STATUS] or jsonpath={PATH}[=VALUE]`,
  );
}

function parseJsonPathCondition(text: string): WaitCondition {
  // One = parts path and value; == belongs to a filter.
  const [path = '', quoted, ...more] = text.split(/(?<!=)=(?!=)/);
  if (more.length > 0)
    throw new InvalidArgumentError(
      "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
    );
  const wanted = { kind: 'jsonpath', path: parseRelaxedPath(path) } as const;
  if (quoted === undefined) return wanted;
  const value = quoted.replace(/^['"]+|['"]+$/g, '');
  if (value === '')
    throw new InvalidArgumentError(
      "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
    );
  return { ...wanted, value };
}

interface Conditions {
  readonly observedGeneration?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly observedGeneration?: number;
  }[];
}

/**
 * Whether the object is as wanted; a condition of a generation before its newest does not count yet.
 *
 * @throws CodedError `JSONPATH_AMBIGUOUS` where a path leads to several values, or to none that is plain.
 * Source: kubectl/pkg/cmd/wait/condition.go, checkCondition; json.go, checkCondition
 */
export function meets(wanted: ObjectCondition, object: KubernetesObject | Node): boolean {
  if (wanted.kind === 'jsonpath') return leadsTo(wanted, object);
  const { status = {} } = object as { readonly status?: Conditions };
  const found = status.conditions?.find(({ type }) => type.toLowerCase() === wanted.type.toLowerCase());
  if (!found) return false;
  const { generation } = object.metadata as { readonly generation?: number };
  const observed = found.observedGeneration ?? status.observedGeneration;
  if (generation !== undefined && observed !== undefined && observed < generation) return false;
  return found.status.toLowerCase() === wanted.status.toLowerCase();
}

function leadsTo(wanted: Extract<WaitCondition, { kind: 'jsonpath' }>, object: unknown): boolean {
  const found = findJsonPath(wanted.path, object);
  if (found.length === 0) return false;
  if (found.length > 1)
    throw new CodedError('JSONPATH_AMBIGUOUS', 'given jsonpath expression matches more than one value');
  if (wanted.value === undefined) return true;
  if (typeof found[0] === 'object' && found[0] !== null)
    throw new CodedError(
      'JSONPATH_AMBIGUOUS',
      'jsonpath leads to a nested object or list which is not supported',
    );
  return String(found[0]).trim() === wanted.value.trim();
}
