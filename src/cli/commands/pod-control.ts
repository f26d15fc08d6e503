import { Command } from 'commander';
import { askAgent } from '../client.ts';
import { type ForeignFlag, ownPods, podTargets } from '../pod-targets.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection, withNamespace } from '../program.ts';
import { objectPath, resourceKind } from '../resource-kind.ts';
import { printable } from '../terminal.ts';

const VERBS: Readonly<Record<string, readonly [done: string, description: string]>> = {
  stop: ['stopped', 'end the containers of pods and keep them down; the pods stay'],
  start: ['started', 'start stopped pods again'],
  restart: ['restarted', 'end the containers of pods and start them again at once'],
  pause: ['paused', 'hold all processes of pods still'],
  unpause: ['unpaused', 'let the processes of paused pods go on'],
};

/** `stop`, `start`, `restart`, `pause`, `unpause POD…`: what Podman does with a pod as a whole. */
export function podControlCommands(terminal: Terminal): readonly Command[] {
  return Object.entries(VERBS).map(([verb, [done, description]]) =>
    withNamespace(withConnection(new Command(verb)))
      .description(description)
      .argument('[pods...]', 'NAME or NAMESPACE/NAME')
      .option('--all', 'all pods of the namespace; with -A all there are')
      .option('--foreign', 'with --all: those too that Podman runs by itself')
      .action(
        async (names: readonly string[], flags: CommonFlags & ForeignFlag & { readonly all?: boolean }) => {
          const connection = connectionOf(flags, terminal);
          // Of all pods, those that have ended are not meant.
          const found = await podTargets(connection, names, flags, ({ status }) =>
            ['Pending', 'Running'].includes(status.phase),
          );
          for (const { metadata } of ownPods(
            found,
            { foreign: names.length > 0 || flags.foreign === true },
            terminal,
          )) {
            const { namespace, name } = metadata;
            await askAgent(
              connection,
              'POST',
              `${objectPath(resourceKind('pods'), namespace, name)}/${verb}`,
            );
            terminal.out(`pod "${printable(`${namespace}/${name}`)}" ${done}\n`);
          }
        },
      ),
  );
}
