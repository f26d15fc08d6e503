import { Command, InvalidArgumentError } from 'commander';
import type { Pod } from '../../model/kubernetes.ts';
import { isCodedError } from '../../util/coded-error.ts';
import { streamAgent } from '../client.ts';
import { podOf } from '../pod-choice.ts';
import {
  type CommonFlags,
  connectionOf,
  positiveInteger,
  type Terminal,
  withConnection,
} from '../program.ts';
import { objectPath, resourceKind } from '../resource-kind.ts';
import { printableLines } from '../terminal.ts';

interface LogFlags extends CommonFlags {
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly prefix?: boolean;
  readonly previous?: boolean;
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly tail?: number;
  readonly since?: number;
}

/** `logs POD`: what containers wrote, in this life or the one before. */
export function logsCommand(terminal: Terminal): Command {
  return withConnection(new Command('logs'))
    .description('print what a container wrote')
    .argument('<pod>', 'NAME or NAMESPACE/NAME of a pod, or of a workload with one pod')
    .option('-n, --namespace <name>', 'namespace')
    .option('-c, --container <name>', 'container; the first one when left out')
    .option('--all-containers', 'every container of the pod, init containers too')
    .option('--prefix', 'print before each line where it comes from')
    .option('-p, --previous', 'the life before this one')
    .option('-f, --follow', 'go on as lines come')
    .option('-t, --timestamps', 'print the time of each line')
    .option('--tail <lines>', 'only the last so many lines', positiveInteger)
    .option('--since <time>', 'only lines of the last so long: 30s, 10m, 2h', secondsOf)
    .action(async (name: string, flags: LogFlags) => {
      const connection = connectionOf(flags, terminal);
      const pod = await podOf(connection, name, flags);
      const print = (container: string) => {
        const prefix = flags.prefix ? `[pod/${pod.metadata.name}/${container}] ` : '';
        const prefixed = prefix === '' ? undefined : createPrefixer(prefix);
        return (text: string) => {
          const shown = terminal.isTty ? printableLines(text) : text;
          terminal.out(prefixed ? prefixed(shown) : shown);
        };
      };
      const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(
        (container) => container.name,
      );
      const asked = flags.allContainers ? all : [flags.container ?? pod.spec.containers[0]!.name];
      const read = (container: string) =>
        streamAgent(connection, logPath(pod, container, flags), print(container));
      if (flags.follow) await Promise.all(asked.map(read));
      else for (const container of asked) await readOne(read, container, asked.length > 1);
    });
}

/** Of several containers one may not have been started yet, or not again. */
async function readOne(read: (name: string) => Promise<void>, name: string, several: boolean): Promise<void> {
  try {
    await read(name);
  } catch (error) {
    if (!several || !isCodedError(error) || error.status !== 400) throw error;
  }
}

function logPath(pod: Pod, container: string, flags: LogFlags): string {
  const query = new URLSearchParams({
    container,
    ...(flags.tail === undefined ? {} : { tailLines: String(flags.tail) }),
    ...(flags.since === undefined ? {} : { sinceSeconds: String(flags.since) }),
    previous: String(flags.previous ?? false),
    follow: String(flags.follow ?? false),
    timestamps: String(flags.timestamps ?? false),
  });
  return `${objectPath(resourceKind('pods'), pod.metadata.namespace, pod.metadata.name)}/log?${query}`;
}

/** Puts `prefix` before each line, however the text comes in pieces. */
function createPrefixer(prefix: string): (text: string) => string {
  let atStart = true;
  return (text) => {
    const lines = text.replace(/\n(?=.)/gs, `\n${prefix}`);
    const shown = atStart && text !== '' ? `${prefix}${lines}` : lines;
    atStart = text.endsWith('\n');
    return shown;
  };
}

function secondsOf(text: string): number {
  const match = /^(\d+)([smh]?)$/.exec(text);
  const factor = { '': 1, s: 1, m: 60, h: 3600 }[match?.[2] ?? ''] ?? 1;
  if (match === null || Number(match[1]) === 0)
    throw new InvalidArgumentError(`"${text}" is no time span; write 30s, 10m or 2h`);
  return Number(match[1]) * factor;
}
