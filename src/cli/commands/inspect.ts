import { Command } from 'commander';
import { askAgent } from '../client.ts';
import { podTargets } from '../pod-targets.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection } from '../program.ts';
import { objectPath, resourceKind } from '../resource-kind.ts';
import { printableLines } from '../terminal.ts';

/** `inspect POD…`: the whole objects as JSON, a list as Podman prints it. */
export function inspectCommand(terminal: Terminal): Command {
  return withConnection(new Command('inspect'))
    .description('print all that is known of pods, as JSON')
    .argument('<pods...>', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <name>', 'namespace')
    .action(async (names: readonly string[], flags: CommonFlags) => {
      const connection = connectionOf(flags, terminal);
      const pods: unknown[] = [];
      for (const {
        metadata: { namespace, name },
      } of await podTargets(connection, names, flags))
        pods.push(await askAgent(connection, 'GET', objectPath(resourceKind('pods'), namespace, name)));
      const text = `${JSON.stringify(pods, null, 2)}\n`;
      terminal.out(terminal.isTty ? printableLines(text) : text);
    });
}
