import { Command } from 'commander';
import { stringify } from 'yaml';
import type { Deployment, KubernetesObject, Pod } from '../../model/kubernetes.ts';
import { podStatusWord } from '../../model/pod-status-word.ts';
import { humanDuration } from '../age.ts';
import { askAgent, streamAgent } from '../client.ts';
import {
  type CommonFlags,
  connectionOf,
  parseName,
  type Terminal,
  withConnection,
  withNamespace,
} from '../program.ts';
import { collectionPath, objectPath, type ResourceKind, resourceKind } from '../resource-kind.ts';
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
    .description('print pods, deployments, configmaps')
    .argument('<kind>', 'pods, deployments, configmaps, secrets (or kind/name)')
    .argument('[name]', 'NAME or NAMESPACE/NAME')
    .option('-o, --output <format>', 'json, yaml, wide or name')
    .option('-w, --watch', 'print again whenever something changes')
    .action(async (word: string, name: string | undefined, flags: CommonFlags & { watch?: boolean }) => {
      const [kindWord, inline] = word.split('/', 2);
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
  const { heads, row } = COLUMNS[kind.kind];
  const rows = items.map((item) => [...(everywhere ? [item.metadata.namespace] : []), ...row(item, wide)]);
  return table([...(everywhere ? ['NAMESPACE'] : []), ...heads(wide)], rows);
}

const age = (object: KubernetesObject) =>
  humanDuration(Date.now() - Date.parse(object.metadata.creationTimestamp));

const COLUMNS: Readonly<
  Record<
    ResourceKind['kind'],
    { heads(wide: boolean): string[]; row(object: KubernetesObject, wide: boolean): string[] }
  >
> = {
  Pod: {
    heads: (wide) => ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', ...(wide ? ['IP', 'NODE'] : [])],
    row(object, wide) {
      const pod = object as Pod;
      const statuses = pod.status.containerStatuses ?? [];
      const ready = statuses.filter((status) => status.ready).length;
      return [
        pod.metadata.name,
        `${ready}/${pod.spec.containers.length}`,
        podStatusWord(pod),
        restarts(pod),
        age(pod),
        ...(wide ? [pod.status.podIP ?? '<none>', pod.spec.nodeName ?? '<none>'] : []),
      ];
    },
  },
  Deployment: {
    heads: () => ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE'],
    row(object) {
      const { metadata, spec, status } = object as Deployment;
      return [
        metadata.name,
        `${status.readyReplicas}/${spec.replicas}`,
        String(status.updatedReplicas),
        String(status.availableReplicas),
        age(object),
      ];
    },
  },
  ConfigMap: {
    heads: () => ['NAME', 'DATA', 'AGE'],
    row: (object) => [
      object.metadata.name,
      String('data' in object ? Object.keys(object.data ?? {}).length : 0),
      age(object),
    ],
  },
  Secret: {
    heads: () => ['NAME', 'DATA', 'AGE'],
    row: (object) => [
      object.metadata.name,
      String('data' in object ? Object.keys(object.data ?? {}).length : 0),
      age(object),
    ],
  },
};

/** `3 (12s ago)`, as kubectl: the count, and when the last death was. */
function restarts(pod: Pod): string {
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  const count = statuses.reduce((sum, status) => sum + status.restartCount, 0);
  const last = Math.max(
    ...statuses.map((status) => Date.parse(status.lastState.terminated?.finishedAt ?? '') || 0),
  );
  return count === 0 || last <= 0 ? String(count) : `${count} (${humanDuration(Date.now() - last)} ago)`;
}
