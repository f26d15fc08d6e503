import { Command } from 'commander';
import { stringify } from 'yaml';
import type { KubernetesObject, Node } from '../../model/kubernetes.ts';
import { askAgent, streamAgent } from '../client.ts';
import { columnsOf } from '../columns.ts';
import { nodeTable } from '../node-text.ts';
import {
  type CommonFlags,
  connectionOf,
  parseName,
  type Terminal,
  withConnection,
  withNamespace,
} from '../program.ts';
import { collectionPath, isNodeWord, objectPath, type ResourceKind, resourceKind } from '../resource-kind.ts';
import { table } from '../table.ts';
import { printableJson, printableLines } from '../terminal.ts';

interface ObjectList {
  readonly apiVersion: 'v1';
  readonly kind: 'List';
  readonly items: readonly KubernetesObject[];
}

/** `get KIND [NAME]`: what the agent holds, in kubectl's columns or as Kubernetes objects. */
export function getCommand(terminal: Terminal): Command {
  return withNamespace(withConnection(new Command('get')))
    .description('print pods, deployments, jobs, services, …')
    .argument('<kind>', 'pods, deployments, statefulsets, jobs, services, … (or kind/name)')
    .argument('[name]', 'NAME or NAMESPACE/NAME')
    .option('-o, --output <format>', 'json, yaml, wide or name')
    .option('-w, --watch', 'print again whenever something changes')
    .action(async (word: string, name: string | undefined, flags: CommonFlags & { watch?: boolean }) => {
      const [kindWord, inline] = word.split('/', 2);
      if (isNodeWord(kindWord!)) {
        terminal.out(await renderNodes(inline ?? name, flags, terminal));
        return;
      }
      const kind = resourceKind(kindWord!);
      const print = async () => terminal.out(await render(kind, inline ?? name, flags, terminal));
      await print();
      if (!flags.watch) return;
      await streamAgent(connectionOf(flags, terminal), '/watch', print);
    });
}

async function render(
  kind: ResourceKind,
  name: string | undefined,
  flags: CommonFlags,
  terminal: Terminal,
): Promise<string> {
  const connection = connectionOf(flags, terminal);
  if (name !== undefined) {
    const target = parseName(name, flags);
    const object = await askAgent<KubernetesObject>(
      connection,
      'GET',
      objectPath(kind, target.namespace, target.name),
    );
    return print(kind, [object], object, flags, false);
  }
  const namespace = flags.allNamespaces ? undefined : flags.namespace;
  const list = await askAgent<ObjectList>(connection, 'GET', collectionPath(kind, namespace));
  // On one machine the default namespace is rarely where things are: without -n all are shown.
  return print(kind, list.items, list, flags, namespace === undefined);
}

async function renderNodes(
  name: string | undefined,
  flags: CommonFlags,
  terminal: Terminal,
): Promise<string> {
  const path = name === undefined ? '/api/v1/nodes' : `/api/v1/nodes/${encodeURIComponent(name)}`;
  const answer = await askAgent<Node | { readonly kind: 'List'; readonly items: readonly Node[] }>(
    connectionOf(flags, terminal),
    'GET',
    path,
  );
  const nodes = answer.kind === 'List' ? answer.items : [answer];
  if (flags.output === 'json') return `${printableJson(answer, 4)}\n`;
  if (flags.output === 'yaml') return printableLines(stringify(answer, { lineWidth: 0 }));
  if (flags.output === 'name') return nodes.map(({ metadata }) => `node/${metadata.name}\n`).join('');
  return nodeTable(nodes, flags.output === 'wide');
}

function print(
  kind: ResourceKind,
  items: readonly KubernetesObject[],
  whole: unknown,
  flags: CommonFlags,
  everywhere: boolean,
): string {
  switch (flags.output) {
    case 'json':
      return `${printableJson(whole, 4)}\n`;
    case 'yaml':
      return printableLines(stringify(whole, { lineWidth: 0 }));
    case 'name':
      return items.map((item) => `${kind.kind.toLowerCase()}/${item.metadata.name}\n`).join('');
    default:
      if (items.length === 0)
        return `No resources found${flags.namespace ? ` in ${flags.namespace} namespace` : ''}.\n`;
      return columns(kind, items, flags.output === 'wide', everywhere);
  }
}

function columns(
  kind: ResourceKind,
  items: readonly KubernetesObject[],
  wide: boolean,
  everywhere: boolean,
): string {
  const { heads, row } = columnsOf(kind.kind, wide);
  const rows = items.map((item) => [...(everywhere ? [item.metadata.namespace] : []), ...row(item)]);
  return table([...(everywhere ? ['NAMESPACE'] : []), ...heads], rows);
}
