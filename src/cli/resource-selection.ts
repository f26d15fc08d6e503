import { InvalidArgumentError } from 'commander';
import { isNodeWord, type ResourceKind, resourceKind } from './resource-kind.ts';

/** What one kind, and one object of it, is asked for; without a name all of the kind. */
export interface Selection {
  readonly kind: ResourceKind | 'Node';
  readonly name?: string;
}

/** What kubectl means by `all`: what runs, not what it is configured with. */
const ALL = [
  'pods',
  'services',
  'daemonsets',
  'deployments',
  'replicasets',
  'statefulsets',
  'jobs',
  'cronjobs',
];

/**
 * What kubectl's words mean: `pods`, `pods a b`, `deploy,svc`, `deploy,svc web`, `pod/a svc/b`, `all`. A name after a
 * slash may name its namespace too: `pod/shop/a`.
 *
 * @throws for a kind that does not exist, and where the two notations are mixed.
 */
export function selectionsOf(words: readonly string[]): readonly Selection[] {
  const [first = '', ...names] = words;
  if (first.includes('/')) return words.map(slashed);
  const wrong = names.find((name) => /^[a-z]+\//.test(name) && isKind(name.split('/')[0]!));
  if (wrong !== undefined)
    throw new InvalidArgumentError(
      `"${wrong}" names its kind, "${first}" is one: write either KIND NAME… or KIND/NAME…`,
    );
  const kinds = first
    .split(',')
    .flatMap((word) => (word.toLowerCase() === 'all' ? ALL : [word]))
    .map(kindOf);
  if (names.length === 0) return kinds.map((kind) => ({ kind }));
  return kinds.flatMap((kind) => names.map((name) => ({ kind, name })));
}

function slashed(word: string): Selection {
  const slash = word.indexOf('/');
  const name = word.slice(slash + 1);
  if (slash < 0 || name === '')
    throw new InvalidArgumentError(`"${word}" is no KIND/NAME; names after KIND/NAME need their kind too`);
  return { kind: kindOf(word.slice(0, slash)), name };
}

const kindOf = (word: string) => (isNodeWord(word) ? 'Node' : resourceKind(word));

function isKind(word: string): boolean {
  try {
    kindOf(word);
    return true;
  } catch {
    return false;
  }
}
