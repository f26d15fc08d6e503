import { Command } from 'commander';
import type { PodEvent } from '../../model/event.ts';
import type { Container, ContainerState, ContainerStatus, Node, Pod } from '../../model/kubernetes.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import { podStatusWord } from '../../model/pod-status-word.ts';
import { humanDuration } from '../age.ts';
import { askAgent, askServer } from '../client.ts';
import { demandLines, placeLines, programLines } from '../container-text.ts';
import { describeObject } from '../describe-object.ts';
import { describeNode } from '../node-text.ts';
import { findPod } from '../pod-choice.ts';
import { type CommonFlags, connectionOf, parseName, type Terminal, withConnection } from '../program.ts';
import {
  collectionPath,
  findResourceKind,
  isNodeWord,
  objectPath,
  type ResourceKind,
  resourceKind,
} from '../resource-kind.ts';
import { printable } from '../terminal.ts';
import { targetOf } from '../workload-target.ts';

/** `describe pod NAME`: the pod, its containers' states and its events, as kubectl lays them out. */
export function describeCommand(terminal: Terminal): Command {
  return withConnection(new Command('describe'))
    .description('print a pod, its states and its events; a workload, a Service, the node')
    .argument('<kind>', 'pod (or pod/NAME), deployment, service, …, node')
    .argument('[name]', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <name>', 'namespace')
    .action(async (word: string, name: string | undefined, flags: CommonFlags) => {
      const [kind, inline] = word.split('/', 2);
      const wanted = name ?? inline;
      if (isNodeWord(kind!)) {
        const connection = connectionOf(flags, terminal);
        const all = await askAgent<{ readonly items: readonly [Node] }>(connection, 'GET', '/api/v1/nodes');
        const path = `/api/v1/nodes/${encodeURIComponent(wanted ?? all.items[0].metadata.name)}`;
        terminal.out(describeNode(await askAgent<Node>(connection, 'GET', path)));
        return;
      }
      const resource = findResourceKind(kind!);
      if (resource && resource.kind !== 'Pod') {
        terminal.out(await describeOther(resource, word, name, flags, terminal));
        return;
      }
      // `describe shop/cart` is what a tired person types.
      const text = resource && wanted !== undefined ? wanted : word;
      const connection = connectionOf(flags, terminal);
      const pod = await findPod(connection, parseName(text, flags));
      const { namespace, name: podName } = pod.metadata;
      const path = `/api/pods/${encodeURIComponent(namespace)}/${encodeURIComponent(podName)}/events`;
      const events = await eventsOf(path, flags, terminal);
      terminal.out(describePod(pod, events));
    });
}

/** Kinds with a controller: it tells what it does. */
const TELLS = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'];

const RELATED: Readonly<Record<string, string>> = {
  Deployment: 'replicasets',
  CronJob: 'jobs',
  Service: 'endpoints',
};

async function describeOther(
  resource: ResourceKind,
  word: string,
  name: string | undefined,
  flags: CommonFlags,
  terminal: Terminal,
): Promise<string> {
  const connection = connectionOf(flags, terminal);
  const target = targetOf(word, name, flags);
  const path = objectPath(resource, target.namespace, target.name);
  const object = await askAgent<KubernetesObject>(connection, 'GET', path);
  const events = await eventsOf(
    `/api/events?uid=${encodeURIComponent(object.metadata.uid)}`,
    flags,
    terminal,
  );
  const told = TELLS.includes(resource.kind) ? `${eventLines(events).map(printable).join('\n')}\n` : '';
  const related = RELATED[resource.kind];
  if (related === undefined) return describeObject(object, []) + told;
  const { items } = await askAgent<{ readonly items: readonly KubernetesObject[] }>(
    connection,
    'GET',
    collectionPath(resourceKind(related), target.namespace),
  );
  const { uid } = object.metadata;
  return (
    describeObject(
      object,
      items.filter(
        ({ metadata }) =>
          metadata.uid === uid || metadata.ownerReferences?.some((owner) => owner.uid === uid),
      ),
    ) + told
  );
}

// The agent alone can describe a pod; its events need the collector.
async function eventsOf(
  path: string,
  flags: CommonFlags,
  terminal: Terminal,
): Promise<readonly PodEvent[] | string> {
  try {
    return [
      ...(await askServer<{ items: readonly PodEvent[] }>(connectionOf(flags, terminal), path)).items,
    ].reverse();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function describePod(pod: Pod, events: readonly PodEvent[] | string): string {
  const { metadata, spec, status } = pod;
  const lines = [
    field('Name', metadata.name),
    field('Namespace', metadata.namespace),
    ...(spec.priority === undefined ? [] : [field('Priority', String(spec.priority))]),
    ...(spec.priorityClassName === undefined ? [] : [field('Priority Class', spec.priorityClassName)]),
    field('Node', spec.nodeName ?? '<none>'),
    field('Start Time', status.startTime ?? '<none>'),
    ...map('Labels', metadata.labels),
    ...map('Annotations', metadata.annotations),
    field('Status', podStatusWord(pod)),
    ...(status.reason === undefined ? [] : [field('Reason', status.reason)]),
    ...(status.message === undefined ? [] : [field('Message', status.message)]),
    field('IP', status.podIP ?? '<none>'),
    ...(metadata.ownerReferences ?? []).map((owner) => field('Controlled By', `${owner.kind}/${owner.name}`)),
    ...containers('Init Containers', spec.initContainers ?? [], status.initContainerStatuses ?? []),
    ...containers('Containers', spec.containers, status.containerStatuses ?? []),
    'Conditions:',
    ...status.conditions.map(
      (condition) =>
        `  ${condition.type.padEnd(28)}${condition.status}${condition.reason ? `  ${condition.reason}` : ''}${condition.message ? `: ${condition.message}` : ''}`,
    ),
    ...placeLines(spec),
    field('QoS Class', status.qosClass),
    ...eventLines(events),
  ];
  // A line end within a text would let it pass for lines of ours.
  return `${lines.map(printable).join('\n')}\n`;
}

/** Oldest first, or why there are none. */
function eventLines(events: readonly PodEvent[] | string): readonly string[] {
  if (typeof events === 'string') return ['Events:', `  not available: ${events}`];
  if (events.length === 0) return ['Events:', '  <none>'];
  return [
    'Events:',
    ...events.map(
      ({ type, reason, at, message }) =>
        `  ${type.padEnd(8)} ${reason.padEnd(18)} ${humanDuration(Date.now() - at).padEnd(8)} ${message}`,
    ),
  ];
}

const field = (name: string, value: string) => `${`${name}:`.padEnd(17)}${value}`;

function map(name: string, values: Readonly<Record<string, string>> | undefined): string[] {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return [field(name, '<none>')];
  return entries.map(([key, value], index) =>
    index === 0 ? field(name, `${key}=${value}`) : `${' '.repeat(17)}${key}=${value}`,
  );
}

function containers(
  title: string,
  specs: readonly Container[],
  statuses: readonly ContainerStatus[],
): string[] {
  if (specs.length === 0) return [];
  return [
    `${title}:`,
    ...specs.flatMap((spec) => {
      const status = statuses.find((candidate) => candidate.name === spec.name);
      return [
        `  ${spec.name}:`,
        ...programLines(spec),
        ...(status ? state('State', status.state) : []),
        ...(status?.lastState.terminated ? state('Last State', status.lastState) : []),
        `    Ready:          ${status?.ready ? 'True' : 'False'}`,
        `    Restart Count:  ${status?.restartCount ?? 0}`,
        ...demandLines(spec),
      ];
    }),
  ];
}

function state(title: string, value: ContainerState): string[] {
  const head = (word: string) => `    ${`${title}:`.padEnd(16)}${word}`;
  if (value.running) return [head('Running'), `      Started:      ${value.running.startedAt}`];
  if (value.waiting)
    return [
      head('Waiting'),
      `      Reason:       ${value.waiting.reason}`,
      ...(value.waiting.message ? [`      Message:      ${value.waiting.message}`] : []),
    ];
  if (!value.terminated) return [head('Unknown')];
  const { reason, message, exitCode, signal, startedAt, finishedAt } = value.terminated;
  return [
    head('Terminated'),
    `      Reason:       ${reason}`,
    ...(message ? messageLines(message) : []),
    ...(signal === undefined ? [] : [`      Signal:       ${signal}`]),
    `      Exit Code:    ${exitCode}`,
    `      Started:      ${startedAt}`,
    `      Finished:     ${finishedAt}`,
  ];
}

/** Each line of its own, so that none passes for one of ours. */
const messageLines = (message: string): readonly string[] =>
  message
    .trimEnd()
    .split('\n')
    .map((text, index) => (index === 0 ? `      Message:      ${text}` : `${' '.repeat(20)}${text}`));
