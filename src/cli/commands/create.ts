import { Command, InvalidArgumentError } from 'commander';
import type { ApplyOutcome } from '../../agent/api/objects.ts';
import { askAgent } from '../client.ts';
import { type CommonFlags, collect, connectionOf, type Terminal, withConnection } from '../program.ts';
import { printable } from '../terminal.ts';
import { describeApplied, readManifests } from './apply.ts';

/** `create -f FILE`: as `apply`, but refuses what is there already. */
export function createCommand(terminal: Terminal): Command {
  return withConnection(new Command('create'))
    .description('create what manifests describe; refused when one of it is there')
    .option('-f, --filename <file>', 'manifest; - reads standard input', collect)
    .action(async (flags: CommonFlags & { filename?: readonly string[] }) => {
      if (flags.filename === undefined)
        throw new InvalidArgumentError('name a manifest: podvitals create -f FILE');
      const outcome = await askAgent<ApplyOutcome>(
        connectionOf(flags, terminal),
        'POST',
        '/apply?create=true',
        {
          files: await readManifests(flags.filename),
        },
      );
      for (const warning of outcome.warnings) terminal.err(`Warning: ${printable(warning)}\n`);
      terminal.out(describeApplied(outcome));
    });
}
