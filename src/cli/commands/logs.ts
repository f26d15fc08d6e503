import { Command } from 'commander';
import type { KubernetesObject, Pod } from '../../model/kubernetes.ts';
import { CodedError } from '../../util/coded-error.ts';
import { askAgent, type Connection, streamAgent } from '../client.ts';
import {
  type CommonFlags,
  connectionOf,
  parseName,
  positiveInteger,
  type Terminal,
  withConnection,
} from '../program.ts';
import { objectPath, resourceKind } from '../resource-kind.ts';
import { printableLines } from '../terminal.ts';

interface LogFlags extends CommonFlags {
  readonly container?: string;
  readonly previous?: boolean;
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly tail?: number;
  readonly since?: number;
}

/** `logs POD`: what a container wrote, in this life or the one before. */
export function logsCommand(terminal: Terminal): Command {
  return withConnection(new Command('logs'))
    .description('print what a container wrote')
    .argument('<pod>', 'NAME or NAMESPACE/NAME of a pod, or of a workload with one pod')
    .option('-n, --namespace <name>', 'namespace')
    .option('-c, --container <name>', 'container; the first one when left out')
    .option('-p, --previous', 'the life before this one')
    .option('-f, --follow', 'go on as lines come')
    .option('--timestamps', 'print the time of each line')
    .option('--tail <lines>', 'only the last so many lines', positiveInteger)
    .option('--since <seconds>', 'only lines of the last so many seconds', positiveInteger)
    .action(async (name: string, flags: LogFlags) => {
      const connection = connectionOf(flags, terminal);
      const pod = await findPod(connection, parseName(name, flags));
      const query = new URLSearchParams({
        ...(flags.container === undefined ? {} : { container: flags.container }),
        ...(flags.tail === undefined ? {} : { tailLines: String(flags.tail) }),
        ...(flags.since === undefined ? {} : { sinceSeconds: String(flags.since) }),
        previous: String(flags.previous ?? false),
        follow: String(flags.follow ?? false),
        timestamps: String(flags.timestamps ?? false),
      });
      const path = `${objectPath(resourceKind('pods'), pod.metadata.namespace, pod.metadata.name)}/log?${query}`;
      await streamAgent(connection, path, (text) =>
        terminal.out(terminal.isTty ? printableLines(text) : text),
      );
    });
}

/** The pod of this name, or the only pod of the workload of this name. */
export async function findPod(
  connection: Connection,
  target: { readonly namespace: string; readonly name: string },
): Promise<Pod> {
  const { items } = await askAgent<{ items: readonly KubernetesObject[] }>(connection, 'GET', '/api/v1/pods');
  const pods = (items as readonly Pod[]).filter((pod) => pod.metadata.namespace === target.namespace);
  const exact = pods.find((pod) => pod.metadata.name === target.name);
  if (exact) return exact;
  const owned = pods.filter((pod) => pod.metadata.name.replace(/-[a-z0-9]+-[a-z0-9]+$/, '') === target.name);
  if (owned.length === 1) return owned[0]!;
  const names = (owned.length > 1 ? owned : pods).map(
    (pod) => `${pod.metadata.namespace}/${pod.metadata.name}`,
  );
  const elsewhere = (items as readonly Pod[])
    .filter((pod) => pod.metadata.name.startsWith(target.name))
    .map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`);
  const hint =
    names.length > 0
      ? `choose one of: ${names.join(', ')}`
      : elsewhere.length > 0
        ? `did you mean ${elsewhere.join(', ')}`
        : 'podvitals get pods shows what there is';
  throw new CodedError('NOT_FOUND', `pod ${target.namespace}/${target.name} not found; ${hint}`, {
    status: 404,
  });
}
