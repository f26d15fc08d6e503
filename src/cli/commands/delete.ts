import { Command, InvalidArgumentError } from 'commander';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import { systemClock } from '../../util/clock.ts';
import { CodedError, isCodedError, messageOf } from '../../util/coded-error.ts';
import { askAgent } from '../client.ts';
import { manifestTargets, type ObjectTarget } from '../manifest-targets.ts';
import { type ForeignFlag, ownPods } from '../pod-targets.ts';
import {
  type CommonFlags,
  collect,
  connectionOf,
  parseName,
  positiveInteger,
  type Terminal,
  withConnection,
} from '../program.ts';
import { collectionPath, objectPath, resourceKind } from '../resource-kind.ts';
import { printable } from '../terminal.ts';

interface DeleteFlags extends CommonFlags, ForeignFlag {
  readonly filename?: readonly string[];
  readonly gracePeriod?: number;
  readonly force?: boolean;
  readonly now?: boolean;
  readonly wait: boolean;
  readonly ignoreNotFound?: boolean;
  readonly orphans?: boolean;
  readonly all?: boolean;
  readonly selector?: string;
}

/** `delete KIND NAME…` or `delete -f FILE`: ends objects gracefully and waits until they are gone. */
export function deleteCommand(terminal: Terminal): Command {
  return withConnection(new Command('delete'))
    .description('delete pods and other objects')
    .argument('[kind]', 'pods, deployments, jobs, services, …')
    .argument('[names...]', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <name>', 'namespace')
    .option('-A, --all-namespaces', 'with --all: of all namespaces')
    .option('--all', 'all of that kind in the namespace')
    .option('--foreign', 'with --all or --selector: pods too that Podman runs by itself')
    .option('-l, --selector <labels>', 'those of that kind with these labels')
    .option('-f, --filename <file>', 'delete what this manifest names', collect)
    .option('--grace-period <seconds>', 'instead of the pod’s own', positiveInteger)
    .option('--now', 'end them within a second (a grace period of 1)')
    .option('--force', 'kill at once (a grace period of 0)')
    .option('--ignore-not-found', 'succeed when there is nothing to delete')
    .option('--wait [true|false]', 'wait until they are gone', (text) => text !== 'false', true)
    .option('--no-wait', 'return before they are gone')
    .option('--orphans', 'end pods on this host whose data folder is gone, and remove what they hold')
    .action(async (kind: string | undefined, names: readonly string[], flags: DeleteFlags) => {
      if (flags.orphans) return deleteOrphans(terminal);
      const targets = [
        // Last first, so that what others refer to goes after them.
        ...(await manifestTargets(flags.filename ?? [], flags)).reverse(),
        ...(kind === undefined ? [] : await named(kind, names, flags, terminal)),
      ];
      if (targets.length === 0 && kind !== undefined) terminal.err('No resources found.\n');
      else if (targets.length === 0)
        throw new InvalidArgumentError('name what to delete: podvitals delete pod NAME, or -f FILE');
      const seconds = flags.force ? 0 : flags.now ? 1 : flags.gracePeriod;
      const query = new URLSearchParams({
        wait: String(flags.wait),
        ...(seconds === undefined ? {} : { gracePeriodSeconds: String(seconds) }),
      });
      await endAll(targets, query, flags, terminal);
    });
}

const MOST_AT_ONCE = 50;

/** All begin to end before the end of one is waited for: their graces pass together. The first failure is thrown last. */
async function endAll(
  targets: readonly ObjectTarget[],
  query: URLSearchParams,
  flags: DeleteFlags,
  terminal: Terminal,
): Promise<void> {
  const connection = connectionOf(flags, terminal);
  const failures: unknown[] = [];
  for (let from = 0; from < targets.length; from += MOST_AT_ONCE) {
    const ending = targets.slice(from, from + MOST_AT_ONCE).map(({ kind, namespace, name }) => {
      const resource = resourceKind(kind);
      const path = `${objectPath(resource, namespace, name)}?${query}`;
      return {
        words: `${resource.kind.toLowerCase()} "${namespace}/${name}" deleted\n`,
        failure: askAgent(connection, 'DELETE', path).then(
          () => undefined,
          (error: unknown) => ({ error }),
        ),
      };
    });
    for (const { words, failure } of ending) {
      const failed = await failure;
      if (failed === undefined) terminal.out(words);
      else if (!(flags.ignoreNotFound && isCodedError(failed.error) && failed.error.status === 404))
        failures.push(failed.error);
    }
  }
  const [first, ...others] = failures;
  for (const error of others) terminal.err(`podvitals: ${printable(messageOf(error))}\n`);
  if (first !== undefined) throw first;
}

/** Needs no agent: there is none left that would know them. */
async function deleteOrphans(terminal: Terminal): Promise<void> {
  const { findOrphans, removeOrphans } = await import('../../agent/pod/runtime/process/orphans.ts');
  const { findTools } = await import('../../agent/host/tool.ts');
  const orphans = findOrphans();
  const troubles = await removeOrphans(orphans, findTools().ip, systemClock);
  for (const { uid, folder, processes } of orphans.pods)
    terminal.out(`pod "${printable(uid)}" ended with ${processes} processes: ${printable(folder)} is gone\n`);
  for (const { name, owner } of orphans.links)
    terminal.out(`link "${printable(name)}" removed: ${printable(owner)} is gone\n`);
  for (const uid of orphans.unknown)
    terminal.err(`podvitals: pod ${printable(uid)} is left alone: nothing says whose it is\n`);
  if (orphans.pods.length + orphans.links.length === 0) terminal.out('No orphans found.\n');
  if (troubles.length > 0) throw new CodedError('ORPHANS_LEFT', troubles.join('; '));
}

async function named(
  kind: string,
  names: readonly string[],
  flags: DeleteFlags,
  terminal: Terminal,
): Promise<readonly ObjectTarget[]> {
  const [word, inline] = kind.split('/', 2);
  const all = inline === undefined ? names : [inline, ...names];
  if (all.length > 0) return all.map((name) => ({ kind: word!, ...parseName(name, flags) }));
  const resource = resourceKind(word!);
  if (!flags.all && flags.selector === undefined)
    throw new InvalidArgumentError(
      `name which of the ${resource.plural} to delete, or say --selector or --all`,
    );
  const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? 'default');
  const query = new URLSearchParams({ labelSelector: flags.selector ?? '' });
  const path = `${collectionPath(resource, namespace)}?${query}`;
  const connection = connectionOf(flags, terminal);
  const { items } = await askAgent<{ items: readonly KubernetesObject[] }>(connection, 'GET', path);
  return ownPods(items, flags, terminal).map(({ metadata }) => ({
    kind: word!,
    namespace: metadata.namespace,
    name: metadata.name,
  }));
}
