import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { Node } from '../../model/kubernetes.ts';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import { CodedError, isCodedError, messageOf } from '../../util/coded-error.ts';
import { durationMs } from '../../util/duration.ts';
import { askAgent, type Connection } from '../client.ts';
import { manifestTargets } from '../manifest-targets.ts';
import {
  type ConnectionFlags,
  collect,
  connectionOf,
  parseName,
  type Terminal,
  withConnection,
  withNamespace,
} from '../program.ts';
import { collectionPath, kindWord, objectPath, resourceKind } from '../resource-kind.ts';
import { type Selection, selectionsOf } from '../resource-selection.ts';
import { printable } from '../terminal.ts';
import { meets, type ObjectCondition, parseWaitCondition, type WaitCondition } from '../wait-condition.ts';

interface WaitFlags extends ConnectionFlags {
  readonly for?: readonly WaitCondition[];
  readonly timeout: number;
  readonly filename?: readonly string[];
  readonly selector?: string;
  readonly all?: boolean;
}

type Found = KubernetesObject | Node;

interface Target {
  readonly kind: Selection['kind'];
  readonly name: string;
  readonly path: string;
  /** Of the object that was meant, where it was there already. */
  readonly uid?: string;
}

const LOOK_MS = 250;
const WEEK_MS = 7 * 24 * 3_600_000;

/**
 * `wait KIND/NAME --for=…`: returns when objects are as wanted; kubectl's words, and its exit codes but for usage.
 * Source: kubectl/pkg/cmd/wait
 */
export function waitCommand(terminal: Terminal): Command {
  return withNamespace(withConnection(new Command('wait')))
    .description('wait until objects are there, gone, or as wanted')
    .argument('[what...]', 'KIND/NAME…, KIND NAME…, or KIND with --selector or --all')
    .option(
      '--for <condition>',
      'create, delete, condition=TYPE[=STATUS] or jsonpath={PATH}[=VALUE]; several: one after the other',
      (text: string, before: readonly WaitCondition[] = []) => [...before, parseWaitCondition(text)],
    )
    .option('--timeout <duration>', 'wait no longer: 30s, 5m; 0: look once; -1s: a week', timeout, 30_000)
    .option('-f, --filename <file>', 'what this manifest names', collect)
    .option('-l, --selector <labels>', 'those of that kind with these labels')
    .option('--all', 'all of that kind in the namespace')
    .action(async (words: readonly string[], flags: WaitFlags) => {
      const conditions = flags.for ?? [];
      if (conditions.length === 0)
        throw new InvalidArgumentError('say what to wait for: --for=condition=Ready, --for=delete, …');
      const wait = createWait(connectionOf(flags, terminal), flags);
      const files = await manifestTargets(flags.filename ?? [], flags);
      const written = files.map(({ kind, namespace, name }) => ({
        kind: resourceKind(kind),
        name: `${namespace}/${name}`,
      }));
      if (words.length === 0 && written.length === 0)
        throw new InvalidArgumentError('name what to wait for: podvitals wait pod/NAME, or -f FILE');
      const targets = await wait.targets([...written, ...(words.length === 0 ? [] : selectionsOf(words))]);
      const failures: unknown[] = [];
      for (const target of targets) {
        try {
          for (const condition of conditions) {
            await wait.until(target, condition);
            terminal.out(`${printable(`${kindWord(target.kind)}/${target.name}`)} condition met\n`);
          }
        } catch (error) {
          if (!isCodedError(error)) throw error;
          failures.push(error);
        }
      }
      const last = failures.pop();
      for (const error of failures) terminal.err(`podvitals: ${printable(messageOf(error))}\n`);
      if (last !== undefined) throw last;
    });
}

function createWait(connection: Connection, flags: WaitFlags) {
  const until = Date.now() + flags.timeout;
  const awaits = (kind: WaitCondition['kind']) => flags.for?.some((one) => one.kind === kind) ?? false;

  /** False when the time is up. */
  async function again(): Promise<boolean> {
    const left = until - Date.now();
    if (left <= 0) return false;
    await sleep(Math.min(LOOK_MS, left));
    return true;
  }

  async function listed({ kind }: Selection): Promise<readonly Target[]> {
    const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? 'default');
    const path = kind === 'Node' ? '/api/v1/nodes' : collectionPath(kind, namespace);
    const query = new URLSearchParams({ labelSelector: flags.selector ?? '' });
    const { items } = await askAgent<{ items: readonly Found[] }>(connection, 'GET', `${path}?${query}`);
    return items.map(({ metadata }) => {
      const { namespace: own = '' } = metadata as KubernetesObject['metadata'];
      return { kind, name: metadata.name, path: pathOf(kind, own, metadata.name), uid: metadata.uid };
    });
  }

  async function named({ kind, name = '' }: Selection): Promise<readonly Target[]> {
    const target = parseName(name, flags);
    const path = pathOf(kind, target.namespace, target.name);
    try {
      const { metadata } = await askAgent<Found>(connection, 'GET', path);
      return [{ kind, name: target.name, path, uid: metadata.uid }];
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (awaits('create')) return [{ kind, name: target.name, path }];
      // What is gone already was waited for.
      if (awaits('delete')) return [];
      throw error;
    }
  }

  return {
    async targets(selections: readonly Selection[]): Promise<readonly Target[]> {
      const isNamed = selections.some(({ name }) => name !== undefined);
      const selects = flags.all || flags.selector !== undefined;
      if (isNamed && selects) throw new InvalidArgumentError('write either names, or --selector or --all');
      if (isNamed) return (await Promise.all(selections.map(named))).flat();
      if (!selects)
        throw new InvalidArgumentError(
          'resource(s) were provided, but no name was specified: say --selector or --all',
        );
      for (;;) {
        const found = (await Promise.all(selections.map(listed))).flat();
        if (found.length > 0 || awaits('delete')) return found;
        if (!awaits('create')) throw new CodedError('NO_RESOURCES', 'no matching resources found');
        if (!(await again())) throw new CodedError('WAIT_TIMEOUT', 'timed out waiting for the condition');
      }
    },
    async until(target: Target, condition: WaitCondition): Promise<void> {
      for (;;) {
        const found = await askAgent<Found>(connection, 'GET', target.path).catch((error: unknown) => {
          // That it is gone is what is waited for, or not yet what is.
          if (isNotFound(error) && (condition.kind === 'create' || condition.kind === 'delete'))
            return undefined;
          throw error;
        });
        if (isMet(condition, target, found)) return;
        if (await again()) continue;
        const place = `${target.kind === 'Node' ? 'nodes' : target.kind.plural}/${target.name}`;
        throw new CodedError(
          'WAIT_TIMEOUT',
          flags.timeout === 0
            ? `condition not met for ${place}`
            : `timed out waiting for the condition on ${place}`,
        );
      }
    },
  };
}

const pathOf = (kind: Selection['kind'], namespace: string, name: string) =>
  kind === 'Node' ? `/api/v1/nodes/${encodeURIComponent(name)}` : objectPath(kind, namespace, name);

const isNotFound = (error: unknown) => isCodedError(error) && error.status === 404;

function isMet(condition: WaitCondition, target: Target, found: Found | undefined): boolean {
  if (condition.kind === 'create') return found !== undefined;
  if (condition.kind !== 'delete') return meets(condition as ObjectCondition, found!);
  return found === undefined || (target.uid !== undefined && found.metadata.uid !== target.uid);
}

/** Source: kubectl/pkg/cmd/wait/wait.go: zero means look once, less means a week. */
function timeout(text: string): number {
  const ms = durationMs(text.replace(/^-/, ''));
  if (ms === undefined) throw new InvalidArgumentError(`"${text}" is no duration; write 30s or 5m`);
  return text.startsWith('-') ? WEEK_MS : ms;
}
