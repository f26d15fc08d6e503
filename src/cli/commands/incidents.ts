import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { humanDuration } from '../age.ts';
import { askServer } from '../client.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection, withNamespace } from '../program.ts';
import { table } from '../table.ts';
import { printableJson, printableLines } from '../terminal.ts';

interface IncidentFlags extends CommonFlags {
  readonly open?: boolean;
  readonly cause?: string;
}

/** As `/api/incidents` has it. */
interface Row {
  readonly id: string;
  readonly state: string;
  readonly severity: string;
  readonly cause: string;
  readonly subject: {
    readonly namespace?: string;
    readonly workload?: string;
    readonly node?: string;
    readonly slo?: string;
  };
  readonly from: string;
  readonly to: string | null;
  readonly lives: readonly string[];
  readonly summary: string;
}

/** `incidents`: what went wrong, newest first, each with its cause. */
export function incidentsCommand(terminal: Terminal): Command {
  return withNamespace(withConnection(new Command('incidents')))
    .description('print incidents with their causes, newest first')
    .argument('[incident]', 'only this one, whole')
    .option('--open', 'only those that are not over')
    .option('--cause <cause>', 'only those of this cause, such as OOMKilled')
    .addOption(new Option('-o, --output <format>', 'how to print them').choices(['json', 'yaml', 'wide']))
    .action(async (id: string | undefined, flags: IncidentFlags) => {
      const connection = connectionOf(flags, terminal);
      if (id !== undefined) {
        const incident = await askServer<object>(connection, `/api/incidents/${encodeURIComponent(id)}`);
        terminal.out(
          flags.output === 'json' ? `${printableJson(incident, 2)}\n` : printableLines(stringify(incident)),
        );
        return;
      }
      const query = new URLSearchParams({
        ...(flags.open ? { state: 'open' } : {}),
        ...(flags.cause === undefined ? {} : { cause: flags.cause }),
        ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
      });
      const list = await askServer<{ readonly items: readonly Row[] }>(connection, `/api/incidents?${query}`);
      if (flags.output === 'json') terminal.out(`${printableJson(list, 2)}\n`);
      else if (flags.output === 'yaml') terminal.out(printableLines(stringify(list)));
      else if (list.items.length === 0) terminal.out('No incidents found.\n');
      else terminal.out(tableOf(list.items, flags.output === 'wide'));
    });
}

function tableOf(items: readonly Row[], wide: boolean): string {
  const heads = ['ID', 'STATE', 'SEVERITY', 'SUBJECT', 'CAUSE', 'DEATHS', 'AGE', 'LASTED'];
  const now = Date.now();
  return table(
    wide ? [...heads, 'SUMMARY'] : heads,
    items.map((one) => {
      const [from, to] = [Date.parse(one.from), one.to === null ? now : Date.parse(one.to)];
      const row = [
        one.id,
        one.state,
        one.severity,
        subjectOf(one),
        one.cause,
        String(one.lives.length),
        humanDuration(now - from),
        humanDuration(to - from),
      ];
      return wide ? [...row, one.summary] : row;
    }),
  );
}

function subjectOf({ subject: { namespace, workload, node, slo } }: Row): string {
  if (workload !== undefined) return `${namespace}/${workload}`;
  if (node !== undefined) return `node/${node}`;
  return slo === undefined ? (namespace ?? 'podvitals') : `slo/${slo}`;
}
