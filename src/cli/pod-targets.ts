import { InvalidArgumentError } from 'commander';
import type { ObjectMeta, Pod } from '../model/kubernetes.ts';
import { SOURCE_ANNOTATION } from '../model/source-command.ts';
import { askAgent, type Connection } from './client.ts';
import { type CommonFlags, parseName, type Terminal } from './program.ts';
import { collectionPath, resourceKind } from './resource-kind.ts';

export interface PodTarget {
  readonly metadata: Pick<ObjectMeta, 'namespace' | 'name' | 'annotations'>;
}

/** Whether it is run by somebody else, such as Podman by itself: podvitals only watches it. */
export const isForeign = ({ metadata }: PodTarget) => metadata.annotations?.[SOURCE_ANNOTATION] !== undefined;

export interface ForeignFlag {
  readonly foreign?: boolean;
}

/** Of all there are, those that may be changed unasked: who means pods that others run names them, or says `--foreign`. */
export function ownPods<Found extends PodTarget>(
  found: readonly Found[],
  { foreign }: ForeignFlag,
  terminal: Terminal,
): readonly Found[] {
  const own = found.filter((pod) => foreign || !isForeign(pod));
  const left = found.length - own.length;
  if (left > 0)
    terminal.err(
      `podvitals: ${left} ${left === 1 ? 'pod' : 'pods'} that Podman runs by itself ${left === 1 ? 'is' : 'are'} left alone; --foreign means them too\n`,
    );
  return own;
}

/** The pods a command line means: those named, or with `--all` all of the namespace (with -A of all). */
export async function podTargets(
  connection: Connection,
  names: readonly string[],
  flags: CommonFlags & { readonly all?: boolean },
  isMeant: (pod: Pod) => boolean = () => true,
): Promise<readonly PodTarget[]> {
  if (names.length > 0) return names.map((name) => ({ metadata: parseName(name, flags) }));
  if (!flags.all) throw new InvalidArgumentError('name pods, or say --all');
  const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? 'default');
  const path = collectionPath(resourceKind('pods'), namespace);
  const { items } = await askAgent<{ items: readonly Pod[] }>(connection, 'GET', path);
  return items.filter(isMeant);
}
