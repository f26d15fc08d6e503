import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { Slo } from '../../collector/slo/slo.ts';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { humanDuration } from '../age.ts';
import { askServer, type Connection } from '../client.ts';
import { ExitStatus } from '../exit-status.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection } from '../program.ts';
import { type SloStatus, statusesOf } from '../slo-status.ts';
import { table } from '../table.ts';
import { printable, printableJson, printableLines } from '../terminal.ts';

/** `slo check|rules|status`: from an OpenSLO file to what is left of its error budget. */
export function sloCommand(terminal: Terminal): Command {
  return new Command('slo')
    .description('check OpenSLO files, make rules of them, see what is left of the budgets')
    .addCommand(checkCommand(terminal))
    .addCommand(rulesCommand(terminal))
    .addCommand(statusCommand(terminal));
}

function checkCommand(terminal: Terminal): Command {
  return new Command('check')
    .description('tell whether the files can be evaluated, and when each SLO would alert')
    .argument('<files...>', 'OpenSLO v1 files')
    .action(async (files: readonly string[]) => {
      let failed = false;
      for (const path of files) {
        terminal.out(`Checking ${path}\n`);
        try {
          const slos = await readSlos(path);
          terminal.out(`  SUCCESS: ${slos.length} SLOs found\n`);
          for (const slo of slos) terminal.out(printableLines(explain(slo)));
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          terminal.err(`  FAILED:\n${printableLines(error.message)}\n`);
          failed = true;
        }
      }
      if (failed) throw new ExitStatus(1);
    });
}

function rulesCommand(terminal: Terminal): Command {
  return new Command('rules')
    .description('print the recording and burn-rate rules of a file, for podvitals or any Prometheus')
    .argument('<file>', 'OpenSLO v1 file')
    .action(async (path: string) => {
      const { sloRuleFile } = await import('../../collector/slo/slo-rules.ts');
      terminal.out(sloRuleFile(await readSlos(path), path));
    });
}

function statusCommand(terminal: Terminal): Command {
  return withConnection(new Command('status'))
    .alias('list')
    .description('print what is left of each error budget, and how fast it burns')
    .argument('[slo]', 'only this one')
    .addOption(new Option('-o, --output <format>', 'how to print them').choices(['json']))
    .action(async (name: string | undefined, flags: CommonFlags) => {
      const statuses = (await askStatuses(connectionOf(flags, terminal))).filter(
        ({ slo }) => name === undefined || slo === name,
      );
      if (statuses.length === 0 && name !== undefined)
        throw new CodedError(
          'SLO_NOT_FOUND',
          `no SLO ${name}; podvitals slo status lists those that are evaluated`,
        );
      if (flags.output === 'json') terminal.out(`${printableJson(statuses, 2)}\n`);
      else if (statuses.length === 0)
        terminal.out('No SLOs are evaluated; load the rules of one: podvitals slo rules FILE\n');
      else terminal.out(statusTable(statuses));
    });
}

async function readSlos(path: string): Promise<readonly Slo[]> {
  const { parseOpenSlo } = await import('../../collector/slo/open-slo.ts');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CodedError('SLO_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  return parseOpenSlo(text, path);
}

function explain(slo: Slo): string {
  const windows = slo.policy.map(
    ({ factor, long, short, severity }) =>
      `    ${severity.padEnd(6)} above ${percent(factor * slo.budget)} bad over ${long} and ${short} (${factor}x)\n`,
  );
  const scope = slo.by.length === 0 ? '' : `, for each ${slo.by.join(', ')}`;
  return `  ${slo.name}: ${percent(slo.target)} over ${slo.period}, budget ${percent(slo.budget)}${scope}\n${windows.join('')}`;
}

interface Vector {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [seconds: number, value: string];
    }[];
  };
}

// Longer than any period that an SLO has; a quarter of an hour is as exact as anybody reads it.
const HISTORY = 'max by (slo) (time() - min_over_time(timestamp(slo:objective:ratio)[90d:15m]))';

async function askStatuses(connection: Connection): Promise<readonly SloStatus[]> {
  const ask = async (query: string) => {
    const { data } = await askServer<Vector>(connection, `/api/v1/query?${new URLSearchParams({ query })}`);
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  // One query for all that belongs together: whatever serves it answers from one moment.
  const samples = await ask(
    '{__name__=~"slo:(objective|error_budget|current_burn_rate|period_error_budget_remaining):ratio|slo:time_period:days"} or ALERTS{alertname=~"SLOBudgetBurn|SLONoData", alertstate="firing"}',
  );
  const histories = await ask(HISTORY);
  return statusesOf(samples, new Map(histories.map(({ labels, value }) => [labels.slo ?? '', value])));
}

function statusTable(statuses: readonly SloStatus[]): string {
  return table(
    ['SLO', 'FOR', 'OBJECTIVE', 'HISTORY', 'BUDGET LEFT', 'BURN RATE', 'STATE'],
    statuses.map((status) => [
      printable(status.slo),
      printable(Object.values(status.labels).join('/')) || printable(status.service),
      `${percent(status.objective)} over ${status.periodDays}d`,
      historyOf(status),
      status.budgetRemaining === undefined ? 'no data' : `${decimals(status.budgetRemaining * 100, 1)}%`,
      status.burnRate === undefined ? 'no data' : `${decimals(status.burnRate, 2)}x`,
      status.state,
    ]),
  );
}

/** As much of its period as it knows. */
function historyOf({ historySeconds, periodDays }: SloStatus): string {
  if (historySeconds === undefined) return '<15m';
  return humanDuration(Math.min(historySeconds, periodDays * 86_400) * 1000);
}

const decimals = (value: number, digits: number) => Number(value.toFixed(digits));
const percent = (ratio: number) => `${Number((ratio * 100).toPrecision(6))}%`;
