import { InvalidArgumentError } from 'commander';
import { type ConnectionFlags, parseName } from './program.ts';
import { kindWord, type ResourceKind, resourceKind } from './resource-kind.ts';

export interface WorkloadTarget {
  readonly kind: ResourceKind;
  readonly namespace: string;
  readonly name: string;
  /** `deployment.apps/web`, as kubectl names it. */
  readonly word: string;
}

/** What `deployment/web`, `deployment web` and `deployment shop/web` mean. */
export function targetOf(word: string, name: string | undefined, flags: ConnectionFlags): WorkloadTarget {
  const slash = word.indexOf('/');
  const kind = resourceKind(slash < 0 ? word : word.slice(0, slash));
  const wanted = slash < 0 ? name : word.slice(slash + 1);
  if (wanted === undefined || wanted === '')
    throw new InvalidArgumentError(`name which of the ${kind.plural}: ${kind.kind.toLowerCase()}/NAME`);
  const target = parseName(wanted, flags);
  return { kind, ...target, word: `${kindWord(kind)}/${target.name}` };
}
