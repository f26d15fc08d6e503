import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Node, Pod } from '../../model/kubernetes.ts';
import { CodedError, isCodedError } from '../../util/coded-error.ts';
import { askAgent, type Connection } from '../client.ts';
import { isForeign } from '../pod-targets.ts';
import {
  type CommonFlags,
  connectionOf,
  positiveInteger,
  seconds,
  type Terminal,
  withConnection,
} from '../program.ts';
import { printable } from '../terminal.ts';

/** `cordon`: the node takes no new pods. `uncordon` takes that back. */
export function cordonCommand(terminal: Terminal, verb: 'cordon' | 'uncordon'): Command {
  return withConnection(new Command(verb))
    .description(verb === 'cordon' ? 'let no new pods onto the node' : 'let new pods onto the node again')
    .argument('[node]', 'the node of the agent when left out')
    .action(async (name: string | undefined, flags: CommonFlags) => {
      const connection = connectionOf(flags, terminal);
      const node = await nodeOf(connection, name);
      await setUnschedulable(connection, node, verb === 'cordon', verb, terminal);
    });
}

/** `drain`: cordons the node and evicts its pods, as far and as fast as their disruption budgets allow. */
export function drainCommand(terminal: Terminal): Command {
  return withConnection(new Command('drain'))
    .description('evict the pods of the node, within their disruption budgets')
    .argument('[node]', 'the node of the agent when left out')
    .option('--ignore-daemonsets', 'leave the pods of DaemonSets where they are')
    .option('--force', 'evict pods that nobody would make again, too')
    .option('--delete-emptydir-data', 'evict pods that lose the data of an emptyDir volume, too')
    .option('--grace-period <seconds>', 'instead of the pods’ own', positiveInteger)
    .option('--timeout <duration>', 'give up after so long: 90, 90s, 5m', seconds)
    .action(async (name: string | undefined, flags: DrainFlags) => {
      const connection = connectionOf(flags, terminal);
      const node = await nodeOf(connection, name);
      const pods = await podsToEvict(connection, flags);
      await setUnschedulable(connection, node, true, 'cordon', terminal);
      const until = flags.timeout === undefined ? undefined : Date.now() + flags.timeout * 1000;
      await Promise.all(pods.map((pod) => evict(connection, pod, flags, until, terminal)));
      terminal.out(`node/${printable(node.metadata.name)} drained\n`);
    });
}

interface DrainFlags extends CommonFlags {
  readonly ignoreDaemonsets?: boolean;
  readonly force?: boolean;
  readonly deleteEmptydirData?: boolean;
  readonly gracePeriod?: number;
  readonly timeout?: number;
}

async function nodeOf(connection: Connection, name: string | undefined): Promise<Node> {
  if (name !== undefined)
    return askAgent<Node>(connection, 'GET', `/api/v1/nodes/${encodeURIComponent(name)}`);
  const { items } = await askAgent<{ readonly items: readonly [Node] }>(connection, 'GET', '/api/v1/nodes');
  return items[0];
}

async function setUnschedulable(
  connection: Connection,
  node: Node,
  unschedulable: boolean,
  verb: string,
  terminal: Terminal,
): Promise<void> {
  const { name } = node.metadata;
  const already = (node.spec.unschedulable ?? false) === unschedulable;
  if (!already) {
    await askAgent(connection, 'PATCH', `/api/v1/nodes/${encodeURIComponent(name)}`, {
      spec: { unschedulable },
    });
  }
  terminal.out(`node/${printable(name)} ${already ? 'already ' : ''}${verb}ed\n`);
}

/** Refuses as kubectl does before anything is touched: what would be lost has to be agreed to. */
async function podsToEvict(connection: Connection, flags: DrainFlags): Promise<readonly Pod[]> {
  const { items } = await askAgent<{ readonly items: readonly Pod[] }>(connection, 'GET', '/api/v1/pods');
  const here = items.filter((pod) => pod.spec.nodeName !== undefined && !isForeign(pod));
  const ended = ({ status }: Pod) => status.phase === 'Succeeded' || status.phase === 'Failed';
  const ownerKind = ({ metadata }: Pod) =>
    metadata.ownerReferences?.find(({ controller }) => controller)?.kind;
  const names = (pods: readonly Pod[]) =>
    pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ');
  const daemons = here.filter((pod) => ownerKind(pod) === 'DaemonSet');
  const others = here.filter((pod) => !daemons.includes(pod));
  const refusals: string[] = [];
  if (daemons.length > 0 && !flags.ignoreDaemonsets)
    refusals.push(
      `pods of DaemonSets would come back (use --ignore-daemonsets to leave them): ${names(daemons)}`,
    );
  const bare = others.filter((pod) => ownerKind(pod) === undefined && !ended(pod));
  if (bare.length > 0 && !flags.force)
    refusals.push(`nobody would make these pods again (use --force to evict them): ${names(bare)}`);
  const keepers = others.filter((pod) => !ended(pod) && pod.spec.volumes?.some(({ emptyDir }) => emptyDir));
  if (keepers.length > 0 && !flags.deleteEmptydirData)
    refusals.push(
      `these pods would lose their emptyDir data (use --delete-emptydir-data to agree): ${names(keepers)}`,
    );
  if (refusals.length > 0)
    throw new CodedError('DRAIN_REFUSED', `cannot drain the node:\n${refusals.join('\n')}`);
  return others;
}

const RETRY_MS = 1000;

async function evict(
  connection: Connection,
  { metadata: { namespace, name, uid } }: Pod,
  flags: DrainFlags,
  until: number | undefined,
  terminal: Terminal,
): Promise<void> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  const label = printable(`pod/${namespace}/${name}`);
  const gone = async () => {
    try {
      return (await askAgent<Pod>(connection, 'GET', path)).metadata.uid !== uid;
    } catch (error) {
      if (isCodedError(error) && error.status === 404) return true;
      throw error;
    }
  };
  const wait = async (why: string) => {
    if (until !== undefined && Date.now() >= until) {
      throw new CodedError('DRAIN_TIMEOUT', `${label} is still there: ${why}; the node stays cordoned`);
    }
    await sleep(RETRY_MS);
  };
  const body =
    flags.gracePeriod === undefined ? {} : { deleteOptions: { gracePeriodSeconds: flags.gracePeriod } };
  terminal.out(`evicting ${label}\n`);
  let told = false;
  while (!(await gone())) {
    try {
      await askAgent(connection, 'POST', `${path}/eviction`, body);
      break;
    } catch (error) {
      if (isCodedError(error) && error.status === 404) break;
      if (!(isCodedError(error) && error.status === 429)) throw error;
      if (!told) terminal.err(`${label}: ${printable(error.message)}; trying again until it may go\n`);
      told = true;
      await wait(error.message);
    }
  }
  while (!(await gone())) await wait('it has not ended yet');
  terminal.out(`${label} evicted\n`);
}
