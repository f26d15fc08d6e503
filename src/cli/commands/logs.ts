import { Command, InvalidArgumentError } from 'commander';
import type { Pod } from '../../model/kubernetes.ts';
import { CodedError, isCodedError } from '../../util/coded-error.ts';
import { askAgent, type Connection, streamAgent } from '../client.ts';
import { podOf } from '../pod-choice.ts';
import {
  type CommonFlags,
  connectionOf,
  positiveInteger,
  type Terminal,
  withConnection,
} from '../program.ts';
import { collectionPath, objectPath, resourceKind } from '../resource-kind.ts';
import { printableLines } from '../terminal.ts';

interface LogFlags extends CommonFlags {
  readonly selector?: string;
  readonly maxLogRequests: number;
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
    .argument('[pod]', 'NAME or NAMESPACE/NAME of a pod, or KIND/NAME of a workload: one of its pods')
    .option('-n, --namespace <name>', 'namespace')
    .option('-l, --selector <labels>', 'of all pods with these labels; the last 10 lines of each')
    .option('-c, --container <name>', 'container; the first one when left out')
    .option('--all-containers', 'every container of the pod, init containers too')
    .option('--prefix', 'print before each line where it comes from')
    .option('-p, --previous', 'the life before this one')
    .option('-f, --follow', 'go on as lines come')
    .option('-t, --timestamps', 'print the time of each line')
    .option('--tail <lines>', 'only the last so many lines', positiveInteger)
    .option('--max-log-requests <number>', 'how many are followed at most with -l', positiveInteger, 5)
    .option('--since <time>', 'only lines of the last so long: 30s, 10m, 2h', secondsOf)
    .action(async (name: string | undefined, given: LogFlags) => {
      if ((name === undefined) === (given.selector === undefined))
        throw new InvalidArgumentError('name a pod, or write --selector');
      const connection = connectionOf(given, terminal);
      const pods =
        name === undefined ? await selected(connection, given) : [await podOf(connection, name, given)];
      const flags = name === undefined ? { ...given, tail: given.tail ?? SELECTED_TAIL } : given;
      const print = (pod: Pod, container: string) => {
        const prefix = flags.prefix ? `[pod/${pod.metadata.name}/${container}] ` : '';
        const prefixed = prefix === '' ? undefined : createPrefixer(prefix);
        return (text: string) => {
          const shown = terminal.isTty ? printableLines(text) : text;
          terminal.out(prefixed ? prefixed(shown) : shown);
        };
      };
      const asked = pods.flatMap((pod) => containersOf(pod, flags).map((container) => ({ pod, container })));
      const read = ({ pod, container }: (typeof asked)[number]) =>
        streamAgent(connection, logPath(pod, container, flags), print(pod, container));
      if (flags.follow) {
        if (name === undefined && asked.length > flags.maxLogRequests)
          throw new InvalidArgumentError(
            `${asked.length} logs would be followed, and at most ${flags.maxLogRequests} are; raise --max-log-requests`,
          );
        await Promise.all(asked.map(read));
      } else for (const one of asked) await readOne(() => read(one), asked.length > 1);
    });
}

// Source: kubectl/pkg/cmd/logs/logs.go, selectorTail
const SELECTED_TAIL = 10;

const containersOf = ({ spec }: Pod, { allContainers, container }: LogFlags): readonly string[] =>
  allContainers
    ? [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name)
    : [container ?? spec.containers[0]!.name];

async function selected(connection: Connection, flags: LogFlags): Promise<readonly Pod[]> {
  const query = new URLSearchParams({ labelSelector: flags.selector ?? '' });
  const path = `${collectionPath(resourceKind('pods'), flags.namespace)}?${query}`;
  const { items } = await askAgent<{ readonly items: readonly Pod[] }>(connection, 'GET', path);
  if (items.length > 0) return items;
  throw new CodedError('NO_PODS', `no pods have the labels ${flags.selector}`);
}

/** Of several containers one may not have been started yet, or not again. */
async function readOne(read: () => Promise<void>, several: boolean): Promise<void> {
  try {
    await read();
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
