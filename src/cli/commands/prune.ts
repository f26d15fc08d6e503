import { Command } from 'commander';
import { askAgent } from '../client.ts';
import { podTargets } from '../pod-targets.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection } from '../program.ts';
import { objectPath, resourceKind } from '../resource-kind.ts';
import { printable } from '../terminal.ts';

/** `prune`: deletes the pods that have ended and that nobody looks after. */
export function pruneCommand(terminal: Terminal): Command {
  return withConnection(new Command('prune'))
    .description('delete all pods that have ended')
    .option('-n, --namespace <name>', 'only of this namespace')
    .action(async (flags: CommonFlags) => {
      const connection = connectionOf(flags, terminal);
      const meant = {
        ...flags,
        all: true,
        ...(flags.namespace === undefined ? { allNamespaces: true } : {}),
      };
      const targets = await podTargets(connection, [], meant, ({ metadata, status }) => {
        const isOwned = (metadata.ownerReferences ?? []).length > 0;
        return !isOwned && ['Succeeded', 'Failed'].includes(status.phase);
      });
      for (const { namespace, name } of targets) {
        await askAgent(
          connection,
          'DELETE',
          `${objectPath(resourceKind('pods'), namespace, name)}?wait=true`,
        );
        terminal.out(`pod "${printable(`${namespace}/${name}`)}" deleted\n`);
      }
    });
}
