import { Command } from 'commander';
import { CodedError } from '../../util/coded-error.ts';
import { askAgent } from '../client.ts';
import {
  type CommonFlags,
  connectionOf,
  isEverywhere,
  nothingRuns,
  type Terminal,
  withConnection,
  withNamespace,
} from '../program.ts';
import { table } from '../table.ts';

interface Usage {
  readonly cpu: string;
  readonly memory: string;
}

interface PodMetrics {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly containers: readonly { readonly name: string; readonly usage: Usage }[];
}

interface NodeMetrics {
  readonly metadata: { readonly name: string };
  readonly usage: Usage;
}

const BASE = '/apis/metrics.k8s.io/v1beta1';

/** `top pods`, `top nodes`: what is used now, in kubectl's columns. */
export function topCommand(terminal: Terminal): Command {
  const top = new Command('top').description('print what pods or the node use now');
  top.addCommand(
    withNamespace(withConnection(new Command('pods')))
      .alias('pod')
      .description('CPU and memory of pods')
      .argument('[name]', 'only this one')
      .option('--containers', 'each container for itself')
      .action(async (name: string | undefined, flags: CommonFlags & { readonly containers?: boolean }) => {
        const { items } = await askAgent<{ items: readonly PodMetrics[] }>(
          connectionOf(flags, terminal),
          'GET',
          `${BASE}/pods`,
        );
        terminal.out(podTable(items, name, flags));
      }),
    { isDefault: true },
  );
  top.addCommand(
    withConnection(new Command('nodes'))
      .alias('node')
      .description('CPU and memory of this machine')
      .action(async (flags: CommonFlags) => {
        const { items } = await askAgent<{ items: readonly NodeMetrics[] }>(
          connectionOf(flags, terminal),
          'GET',
          `${BASE}/nodes`,
        );
        const rows = items.map(({ metadata, usage }) => [metadata.name, cpuWord(usage), memoryWord(usage)]);
        terminal.out(table(['NAME', 'CPU(cores)', 'MEMORY(bytes)'], rows));
      }),
  );
  return top;
}

function podTable(
  items: readonly PodMetrics[],
  name: string | undefined,
  flags: CommonFlags & { readonly containers?: boolean },
): string {
  const wanted = items.filter(
    ({ metadata }) =>
      (name === undefined || metadata.name === name) &&
      (isEverywhere(flags) || metadata.namespace === flags.namespace),
  );
  if (wanted.length === 0 && name !== undefined)
    throw new CodedError('NOT_FOUND', `no pod ${name} runs; podvitals get pods shows what there is`, {
      status: 404,
    });
  if (wanted.length === 0) return nothingRuns(flags);
  const before = isEverywhere(flags) ? ['NAMESPACE'] : [];
  const place = ({ metadata }: PodMetrics) => (isEverywhere(flags) ? [metadata.namespace] : []);
  if (flags.containers) {
    const rows = wanted.flatMap((pod) =>
      pod.containers.map((container) => [
        ...place(pod),
        pod.metadata.name,
        container.name,
        cpuWord(container.usage),
        memoryWord(container.usage),
      ]),
    );
    return table([...before, 'POD', 'NAME', 'CPU(cores)', 'MEMORY(bytes)'], rows);
  }
  const rows = wanted.map((pod) => {
    const nanos = pod.containers.reduce((sum, { usage }) => sum + nanosOf(usage), 0);
    const kibis = pod.containers.reduce((sum, { usage }) => sum + kibisOf(usage), 0);
    const usage = { cpu: `${nanos}n`, memory: `${kibis}Ki` };
    return [...place(pod), pod.metadata.name, cpuWord(usage), memoryWord(usage)];
  });
  return table([...before, 'NAME', 'CPU(cores)', 'MEMORY(bytes)'], rows);
}

const nanosOf = ({ cpu }: Usage) => Number.parseInt(cpu, 10);
const kibisOf = ({ memory }: Usage) => Number.parseInt(memory, 10);

/** As kubectl: millicores rounded up, whole mebibytes. */
const cpuWord = (usage: Usage) => `${Math.ceil(nanosOf(usage) / 1e6)}m`;
const memoryWord = (usage: Usage) => `${Math.floor(kibisOf(usage) / 1024)}Mi`;
