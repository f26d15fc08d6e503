import { Command, Option } from 'commander';
import picocolors from 'picocolors';
import type { Diagnosis } from '../../agent/doctor/doctor.ts';
import type { Finding } from '../../agent/doctor/finding.ts';
import { type ConfigFlags, loadConfig } from '../../config/config.ts';
import { ExitStatus } from '../exit-status.ts';
import type { Terminal } from '../program.ts';
import { printable, printableJson } from '../terminal.ts';

/** `doctor`: what this host lets podvitals do, and what to install or change. Exit 1 when something does not work. */
export function doctorCommand(terminal: Terminal): Command {
  return new Command('doctor')
    .description('tell what this host can do, and what is missing')
    .option('--config <file>', 'configuration file')
    .option('--data-dir <folder>', 'where data is to be kept')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json']))
    .action(async (flags: ConfigFlags & { readonly output?: string }) => {
      const { dataDir, agent, collector } = loadConfig(flags, terminal.env);
      const { examineHost } = await import('../../agent/doctor/doctor.ts');
      const diagnosis = await examineHost({
        dataDir,
        ports: [
          { what: 'the page', ...collector.listen },
          { what: "the agent's /metrics", ...agent.listen },
          { what: 'OTLP over gRPC', ...collector.otlpGrpc },
          { what: 'OTLP over HTTP', ...collector.otlpHttp },
        ],
      });
      terminal.out(flags.output === 'json' ? `${printableJson(diagnosis, 2)}\n` : print(diagnosis, terminal));
      if (diagnosis.findings.some(({ status }) => status === 'error')) throw new ExitStatus(1);
    });
}

function print({ enforcement, findings }: Diagnosis, terminal: Terminal): string {
  const colors = picocolors.createColors(terminal.isTty);
  const paint = { ok: colors.green, warning: colors.yellow, error: colors.red };
  const line = ({ name, status, found, remedy }: Finding) => [
    `${paint[status](status.padEnd(8))} ${name.padEnd(15)} ${printable(found)}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(25)}-> ${printable(remedy)}`]),
  ];
  const unmet =
    enforcement.notEnforced.length === 0
      ? 'every limit of a manifest is enforced'
      : `not enforced: ${enforcement.notEnforced.join(', ')}`;
  return `${[`Pods would run as: ${enforcement.level}; ${unmet}.`, '', ...findings.flatMap(line)].join('\n')}\n`;
}
