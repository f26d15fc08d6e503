import { Command, Option } from 'commander';
import { askServer } from '../client.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection } from '../program.ts';
import { table } from '../table.ts';
import { printable, printableJson } from '../terminal.ts';

interface PrometheusAnswer {
  readonly data: {
    readonly resultType: 'vector' | 'scalar' | 'string' | 'matrix';
    readonly result: unknown;
  };
  readonly warnings?: readonly string[];
}

type Value = readonly [seconds: number, value: string];

/** `query EXPR`: asks the collector in PromQL. */
export function queryCommand(terminal: Terminal): Command {
  return withConnection(new Command('query'))
    .description('ask the collector in PromQL')
    .argument('<expression>', 'a PromQL expression')
    .option('--time <time>', 'RFC 3339 or Unix seconds; now when left out')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json']))
    .action(async (expression: string, flags: CommonFlags & { time?: string }) => {
      const search = new URLSearchParams({
        query: expression,
        ...(flags.time === undefined ? {} : { time: flags.time }),
      });
      const answer = await askServer<PrometheusAnswer>(
        connectionOf(flags, terminal),
        `/api/v1/query?${search}`,
      );
      for (const warning of answer.warnings ?? []) terminal.err(`Warning: ${printable(warning)}\n`);
      terminal.out(flags.output === 'json' ? `${printableJson(answer, 2)}\n` : print(answer.data));
    });
}

function print(data: PrometheusAnswer['data']): string {
  if (data.resultType === 'scalar' || data.resultType === 'string') return `${(data.result as Value)[1]}\n`;
  const series = data.result as readonly {
    metric: Record<string, string>;
    value?: Value;
    values?: readonly Value[];
  }[];
  if (series.length === 0) return 'no series\n';
  return table(
    ['SERIES', 'VALUE'],
    series.map(({ metric, value, values }) => [
      seriesName(metric),
      value === undefined
        ? (values ?? []).map(([seconds, text]) => `${text} @${seconds}`).join(' ')
        : value[1],
    ]),
  );
}

function seriesName(metric: Record<string, string>): string {
  const { __name__: name = '', ...rest } = metric;
  const labels = Object.entries(rest).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return labels.length === 0 ? name || '{}' : `${name}{${labels.join(', ')}}`;
}
