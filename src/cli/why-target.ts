import { InvalidArgumentError } from 'commander';
import { nearestName } from '../agent/pod/manifest/nearest-name.ts';
import { type ConnectionFlags, parseName } from './program.ts';
import { findResourceKind, isNodeWord, resourceKind } from './resource-kind.ts';

/** What `why` is asked about; without a kind a pod of this name, else a workload. */
export interface WhyTarget {
  readonly kind?: string;
  readonly namespace: string;
  readonly name: string;
}

const KINDS = ['pod', 'deployment', 'replicaset', 'statefulset', 'daemonset', 'job', 'cronjob'];

/**
 * `cart`, `shop/cart`, `deploy/cart`, `deploy/shop/cart` or the words `deploy cart`.
 *
 * @throws InvalidArgumentError for a kind that has no pods of its own, or does not exist.
 */
export function whyTarget(words: readonly string[], flags: ConnectionFlags): WhyTarget {
  const [first = '', second, ...more] = words;
  if (more.length > 0)
    throw new InvalidArgumentError('name one pod or workload: NAME, KIND/NAME or KIND NAME');
  if (second !== undefined) return { kind: kindOf(first, second), ...parseName(second, flags) };
  const [word = '', ...rest] = first.split('/');
  const name = rest.join('/');
  const isKind = findResourceKind(word) !== undefined || isNodeWord(word);
  if (rest.length === 0 || (rest.length === 1 && !isKind)) return parseName(first, flags);
  return { kind: kindOf(word, name), ...parseName(name, flags) };
}

function kindOf(word: string, name: string): string {
  const kind = isNodeWord(word) ? 'node' : resourceKind(word).kind.toLowerCase();
  if (KINDS.includes(kind)) return kind;
  throw new InvalidArgumentError(
    `why is about pods and what makes them (${KINDS.join(', ')}); of a ${kind}: podvitals describe ${kind} ${name}`,
  );
}

/** `deployment/cart` for `deplyment/cart`, which was taken for a name in a namespace; undefined: nothing is like it. */
export function mistypedKind(words: readonly string[]): string | undefined {
  const [word = '', name, ...more] = words.join(' ').split('/');
  const kind = name === undefined || more.length > 0 ? undefined : nearestName(word, KINDS);
  return kind && `${kind}/${name}`;
}
