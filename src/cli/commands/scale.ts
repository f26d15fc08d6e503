import { Command } from 'commander';
import { askAgent } from '../client.ts';
import {
  type CommonFlags,
  connectionOf,
  positiveInteger,
  type Terminal,
  withConnection,
} from '../program.ts';
import { objectPath } from '../resource-kind.ts';
import { targetOf } from '../workload-target.ts';

/** `scale --replicas N deployment/NAME`: how many pods a workload shall have. */
export function scaleCommand(terminal: Terminal): Command {
  return withConnection(new Command('scale'))
    .description('change how many pods a deployment or statefulset has')
    .argument('<kind>', 'deployment/NAME, statefulset/NAME')
    .argument('[name]', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <name>', 'namespace')
    .requiredOption('--replicas <count>', 'pods wanted', positiveInteger)
    .action(async (word: string, name: string | undefined, flags: CommonFlags & { replicas: number }) => {
      const target = targetOf(word, name, flags);
      const path = objectPath(target.kind, target.namespace, target.name);
      await askAgent(connectionOf(flags, terminal), 'POST', `${path}/scale`, { replicas: flags.replicas });
      terminal.out(`${target.word} scaled\n`);
    });
}
