import { Command } from 'commander';
import { askAgent } from '../client.ts';
import { type ForeignFlag, ownPods, podTargets } from '../pod-targets.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection } from '../program.ts';
import { objectPath, resourceKind } from '../resource-kind.ts';
import { printable } from '../terminal.ts';

/** `prune`: deletes the pods that have ended and that nobody looks after. */
export function pruneCommand(terminal: Terminal): Command {
  return withConnection(new Command('prune'))
    .description('delete the pods of podvitals that have ended and that no workload keeps')
    .option('-n, --namespace <name>', 'only of this namespace')
    .option('--foreign', 'those too that Podman runs by itself and podvitals only watches')
    .action(async (flags: CommonFlags & ForeignFlag) => {
      const connection = connectionOf(flags, terminal);
      const meant = {
        ...flags,
        all: true,
        ...(flags.namespace === undefined ? { allNamespaces: true } : {}),
      };
      const ended = await podTargets(connection, [], meant, ({ metadata, status }) => {
        const isOwned = (metadata.ownerReferences ?? []).length > 0;
        return !isOwned && ['Succeeded', 'Failed'].includes(status.phase);
      });
      for (const { metadata } of ownPods(ended, flags, terminal)) {
        const { namespace, name } = metadata;
        await askAgent(
          connection,
          'DELETE',
          `${objectPath(resourceKind('pods'), namespace, name)}?wait=true`,
        );
        terminal.out(`pod "${printable(`${namespace}/${name}`)}" deleted\n`);
      }
    });
}
