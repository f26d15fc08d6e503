import { Command, InvalidArgumentError } from 'commander';
import type { Node } from '../../model/kubernetes.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import { askAgent, type Connection, streamAgent } from '../client.ts';
import { columnsOf } from '../columns.ts';
import type { JsonPathTemplate } from '../json-path.ts';
import { parseRelaxedPath } from '../json-path-parser.ts';
import { nodeColumns } from '../node-text.ts';
import {
  cellOf,
  type ObjectOutput,
  OUTPUT_CHOICES,
  parseOutput,
  sortedBy,
  wholeText,
} from '../object-output.ts';
import {
  type ConnectionFlags,
  connectionOf,
  isEverywhere,
  parseName,
  type Terminal,
  withConnection,
  withNamespace,
} from '../program.ts';
import { collectionPath, kindWord, objectPath } from '../resource-kind.ts';
import { type Selection, selectionsOf } from '../resource-selection.ts';
import { table } from '../table.ts';

interface GetFlags extends ConnectionFlags {
  readonly output?: ObjectOutput;
  readonly sortBy?: JsonPathTemplate;
  readonly headers: boolean;
  readonly selector?: string;
  readonly showLabels?: boolean;
  readonly watch?: boolean;
}

interface ObjectList {
  readonly kind: 'List';
  readonly items: readonly (KubernetesObject | Node)[];
}

/** The objects of one kind, in the order in which the kinds were asked for. */
interface Found {
  readonly kind: Selection['kind'];
  readonly objects: readonly (KubernetesObject | Node)[];
}

/** `get KIND[,KIND…] [NAME…]`: what the agent holds, in kubectl's columns or as Kubernetes objects. */
export function getCommand(terminal: Terminal): Command {
  return withNamespace(withConnection(new Command('get')))
    .description('print pods, deployments, jobs, services, …')
    .argument('<what...>', 'KIND, KIND NAME…, KIND,KIND, KIND/NAME…, or all')
    .option('-l, --selector <labels>', 'only those with these labels: app=web,tier!=test')
    .option('--show-labels', 'print the labels of each')
    .option('-o, --output <format>', `how to print them: ${OUTPUT_CHOICES}`, parseOutput)
    .option('--sort-by <path>', 'in the order of a field: .metadata.creationTimestamp', parseRelaxedPath)
    .option('--no-headers', 'print no head of the table')
    .option('-w, --watch', 'print again whenever something changes')
    .action(async (words: readonly string[], flags: GetFlags) => {
      const selections = selectionsOf(words);
      const one = selections.length === 1 && selections[0]!.name !== undefined;
      if (flags.selector !== undefined && selections.some(({ name }) => name !== undefined))
        throw new InvalidArgumentError('write either names or --selector');
      const connection = connectionOf(flags, terminal);
      const show = async () => {
        const found = await Promise.all(selections.map((selection) => ask(connection, selection, flags)));
        terminal.out(print(sorted(byKind(found), flags), one, flags, terminal));
      };
      await show();
      if (flags.watch) await streamAgent(connection, '/watch', show);
    });
}

async function ask(connection: Connection, { kind, name }: Selection, flags: GetFlags): Promise<Found> {
  const objects = await askAgent<KubernetesObject | Node | ObjectList>(
    connection,
    'GET',
    pathOf(kind, name, flags),
  );
  return { kind, objects: objects.kind === 'List' ? objects.items : [objects] };
}

function pathOf(kind: Selection['kind'], name: string | undefined, flags: GetFlags): string {
  const query =
    flags.selector === undefined ? '' : `?${new URLSearchParams({ labelSelector: flags.selector })}`;
  if (kind === 'Node')
    return name === undefined ? `/api/v1/nodes${query}` : `/api/v1/nodes/${encodeURIComponent(name)}`;
  if (name === undefined)
    return `${collectionPath(kind, flags.allNamespaces ? undefined : flags.namespace)}${query}`;
  const target = parseName(name, flags);
  return objectPath(kind, target.namespace, target.name);
}

/** Several names of one kind share its table. */
function byKind(found: readonly Found[]): readonly Found[] {
  const kinds = [...new Set(found.map(({ kind }) => kind))];
  return kinds.map((kind) => ({
    kind,
    objects: found.filter((each) => each.kind === kind).flatMap(({ objects }) => objects),
  }));
}

const sorted = (found: readonly Found[], { sortBy }: GetFlags): readonly Found[] =>
  sortBy === undefined
    ? found
    : found.map(({ kind, objects }) => ({ kind, objects: sortedBy(objects, sortBy) }));

function print(found: readonly Found[], one: boolean, flags: GetFlags, terminal: Terminal): string {
  const all = found.flatMap(({ objects }) => objects);
  const whole = one ? all[0] : { apiVersion: 'v1', kind: 'List', metadata: {}, items: all };
  const { output } = flags;
  const text = output && wholeText(output, whole, terminal.isTty);
  if (text !== undefined) return text;
  switch (output?.kind) {
    case 'custom-columns': {
      const rows = all.map((object) => output.columns.map((column) => cellOf(column, object)));
      const heads = output.columns.map(({ head }) => head);
      return headed(table(heads, rows), flags);
    }
    case 'name':
      return found
        .flatMap(({ kind, objects }) => objects.map(({ metadata }) => `${kindWord(kind)}/${metadata.name}\n`))
        .join('');
  }
  const shown = found.filter(({ objects }) => objects.length > 0);
  if (shown.length === 0)
    return `No resources found${flags.namespace ? ` in ${flags.namespace} namespace` : ''}.\n`;
  const everywhere = !one && isEverywhere(flags);
  return shown
    .map((each) => headed(tableOf(each, { flags, everywhere, prefix: found.length > 1 }), flags))
    .join('\n');
}

const headed = (text: string, { headers }: GetFlags) => (headers ? text : text.slice(text.indexOf('\n') + 1));

function tableOf(
  { kind, objects }: Found,
  how: { readonly flags: GetFlags; readonly everywhere: boolean; readonly prefix: boolean },
): string {
  const wide = how.flags.output?.kind === 'table' && how.flags.output.wide;
  const { heads, row } = kind === 'Node' ? nodeColumns(wide) : columnsOf(kind.kind, wide);
  const rows = objects.map((object) => {
    const [name, ...rest] = row(object as KubernetesObject & Node);
    const { namespace, labels = {} } = object.metadata as KubernetesObject['metadata'];
    const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
    return [
      ...(how.everywhere && kind !== 'Node' ? [namespace] : []),
      how.prefix ? `${kindWord(kind)}/${name}` : name!,
      ...rest,
      ...(how.flags.showLabels ? [pairs.join(',') || '<none>'] : []),
    ];
  });
  return table(
    [
      ...(how.everywhere && kind !== 'Node' ? ['NAMESPACE'] : []),
      ...heads,
      ...(how.flags.showLabels ? ['LABELS'] : []),
    ],
    rows,
  );
}
