import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { CodedError } from '../../util/coded-error.ts';
import { askAgent } from '../client.ts';
import {
  type CommonFlags,
  connectionOf,
  isEverywhere,
  nothingRuns,
  parseName,
  type Terminal,
  withConnection,
  withNamespace,
} from '../program.ts';
import { table } from '../table.ts';

interface ContainerStats {
  readonly name: string;
  readonly cpuCores?: number;
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly readBytes?: number;
  readonly writtenBytes?: number;
  readonly processes?: number;
}

interface PodStats {
  readonly namespace: string;
  readonly name: string;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  readonly containers: readonly ContainerStats[];
}

interface StatsFlags extends CommonFlags {
  readonly stream: boolean;
}

const EVERY_MS = 1000;
const CLEAR = '\x1b[2J\x1b[H';
const HEADS = ['POD', 'NAME', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'NET IO', 'BLOCK IO', 'PIDS'];

/** `stats [POD…]`: what running pods use, each second anew, in Podman's columns. */
export function statsCommand(terminal: Terminal): Command {
  return withNamespace(withConnection(new Command('stats')))
    .description('print what running pods use, each second anew')
    .argument('[pods...]', 'only these: NAME or NAMESPACE/NAME')
    .option('--no-stream', 'once')
    .option('-o, --output <format>', 'json: once, as a list')
    .action(async (names: readonly string[], flags: StatsFlags) => {
      const connection = connectionOf(flags, terminal);
      for (;;) {
        const { items } = await askAgent<{ items: readonly PodStats[] }>(connection, 'GET', '/api/stats');
        const meant = chosen(items, names, flags);
        if (flags.output === 'json') return terminal.out(`${JSON.stringify(meant, null, 2)}\n`);
        const text =
          meant.length === 0
            ? nothingRuns(flags)
            : statsTable(meant, names.length === 0 && isEverywhere(flags));
        terminal.out(flags.stream && terminal.isTty ? `${CLEAR}${text}` : text);
        if (!flags.stream) return;
        await wait(EVERY_MS);
      }
    });
}

function chosen(all: readonly PodStats[], names: readonly string[], flags: CommonFlags): readonly PodStats[] {
  if (names.length === 0)
    return all.filter(({ namespace }) => isEverywhere(flags) || namespace === flags.namespace);
  return names.map((text) => {
    const wanted = parseName(text, flags);
    const found = all.find(({ namespace, name }) => namespace === wanted.namespace && name === wanted.name);
    if (found) return found;
    throw new CodedError(
      'NOT_FOUND',
      `no pod ${wanted.namespace}/${wanted.name} runs; podvitals get pods shows what there is`,
      { status: 404 },
    );
  });
}

/** The network is the whole pod's: it stands on its first line. `everywhere`: with the namespace of each. */
export function statsTable(pods: readonly PodStats[], everywhere: boolean): string {
  const rows = pods.flatMap((pod) =>
    pod.containers.map((container, index) => [
      everywhere ? `${pod.namespace}/${pod.name}` : pod.name,
      container.name,
      percent(container.cpuCores),
      `${size(container.memoryBytes)} / ${size(container.memoryLimitBytes)}`,
      percent(share(container)),
      index === 0 ? pair(pod.receivedBytes, pod.sentBytes) : '--',
      pair(container.readBytes, container.writtenBytes),
      container.processes === undefined ? '--' : String(container.processes),
    ]),
  );
  return table(HEADS, rows);
}

const share = ({ memoryBytes, memoryLimitBytes }: ContainerStats) =>
  memoryBytes === undefined || memoryLimitBytes === undefined || memoryLimitBytes === 0
    ? undefined
    : memoryBytes / memoryLimitBytes;

const percent = (ratio: number | undefined) => (ratio === undefined ? '--' : `${(ratio * 100).toFixed(2)}%`);

const pair = (a: number | undefined, b: number | undefined) =>
  a === undefined && b === undefined ? '--' : `${size(a)} / ${size(b)}`;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** As Podman writes sizes: powers of 1000, four digits. */
function size(bytes: number | undefined): string {
  if (bytes === undefined) return '--';
  const unit = bytes === 0 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** unit).toPrecision(4))}${UNITS[unit]}`;
}
