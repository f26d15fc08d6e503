import { Command } from 'commander';
import { readServer } from '../client.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection } from '../program.ts';
import { printableLines } from '../terminal.ts';

/** `postmortem INCIDENT`: a draft in Markdown, to redirect into a file. */
export function postmortemCommand(terminal: Terminal): Command {
  return withConnection(new Command('postmortem'))
    .description('draft the postmortem of an incident as Markdown')
    .argument('<incident>', 'its id, as podvitals incidents prints it')
    .action(async (id: string, flags: CommonFlags) => {
      const path = `/api/incidents/${encodeURIComponent(id)}/postmortem`;
      terminal.out(printableLines(await readServer(connectionOf(flags, terminal), path)));
    });
}
