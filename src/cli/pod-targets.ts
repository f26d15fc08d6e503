import { InvalidArgumentError } from 'commander';
import type { Pod } from '../model/kubernetes.ts';
import { askAgent, type Connection } from './client.ts';
import { type CommonFlags, parseName } from './program.ts';
import { collectionPath, resourceKind } from './resource-kind.ts';

export interface PodTarget {
  readonly namespace: string;
  readonly name: string;
}

/** The pods a command line means: those named, or with `--all` all of the namespace (with -A of all). */
export async function podTargets(
  connection: Connection,
  names: readonly string[],
  flags: CommonFlags & { readonly all?: boolean },
  isMeant: (pod: Pod) => boolean = () => true,
): Promise<readonly PodTarget[]> {
  if (names.length > 0) return names.map((name) => parseName(name, flags));
  if (!flags.all) throw new InvalidArgumentError('name pods, or say --all');
  const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? 'default');
  const path = collectionPath(resourceKind('pods'), namespace);
  const { items } = await askAgent<{ items: readonly Pod[] }>(connection, 'GET', path);
  return items.filter(isMeant).map(({ metadata }) => metadata);
}
