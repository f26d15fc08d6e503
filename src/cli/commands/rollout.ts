import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { KubernetesObject } from '../../model/kubernetes-object.ts';
import { CodedError } from '../../util/coded-error.ts';
import { askAgent } from '../client.ts';
import { type ObjectOutput, parseOutput } from '../object-output.ts';
import {
  type CommonFlags,
  type ConnectionFlags,
  connectionOf,
  positiveInteger,
  seconds,
  type Terminal,
  withConnection,
} from '../program.ts';
import { collectionPath, objectPath, resourceKind } from '../resource-kind.ts';
import { historyText, revisionsOf } from '../rollout-history.ts';
import { type RolloutProgress, rolloutProgress } from '../rollout-status.ts';
import { printable } from '../terminal.ts';
import { targetOf, type WorkloadTarget } from '../workload-target.ts';

/** `rollout status|history|undo|restart|pause|resume KIND/NAME`. */
export function rolloutCommand(terminal: Terminal): Command {
  const rollout = new Command('rollout').description('watch, take back and restart rollouts');
  rollout.addCommand(
    named('status', 'wait until the rollout is over')
      .option('-w, --watch', 'wait (the default)', true)
      .option('--no-watch', 'say how far it is and return')
      .option('--timeout <duration>', 'wait no longer: 90, 90s, 5m', seconds)
      .action(async (word: string, name: string | undefined, flags: CommonFlags & StatusFlags) =>
        waitFor(targetOf(word, name, flags), flags, terminal),
      ),
  );
  rollout.addCommand(
    named('history', 'print the revisions that are kept, or the template of one')
      .option('--revision <number>', 'this one, with its template', positiveInteger)
      .option('-o, --output <format>', 'json, yaml, name, jsonpath=TEMPLATE', parseOutput)
      .action(async (word: string, name: string | undefined, flags: HistoryFlags) =>
        terminal.out(await history(targetOf(word, name, flags), flags, terminal)),
      ),
  );
  rollout.addCommand(
    named('undo', 'go back to the revision before, or to another')
      .option('--to-revision <number>', 'a revision of rollout history', positiveInteger)
      .action((word: string, name: string | undefined, flags: CommonFlags & { toRevision?: number }) =>
        ask('undo', 'rolled back', targetOf(word, name, flags), flags, {
          ...(flags.toRevision === undefined ? {} : { toRevision: flags.toRevision }),
        }),
      ),
  );
  for (const [verb, said, description] of [
    ['restart', 'restarted', 'replace every pod, with the same template'],
    ['pause', 'paused', 'hold a deployment back from rolling out'],
    ['resume', 'resumed', 'let a paused deployment roll out again'],
  ] as const) {
    rollout.addCommand(
      named(verb, description).action((word: string, name: string | undefined, flags: CommonFlags) =>
        ask(verb, said, targetOf(word, name, flags), flags, {}),
      ),
    );
  }
  return rollout;

  async function ask(verb: string, said: string, target: WorkloadTarget, flags: CommonFlags, body: object) {
    const path = objectPath(target.kind, target.namespace, target.name);
    await askAgent(connectionOf(flags, terminal), 'POST', `${path}/${verb}`, body);
    terminal.out(`${target.word} ${said}\n`);
  }
}

function named(verb: string, description: string): Command {
  return withConnection(new Command(verb))
    .description(description)
    .argument('<kind>', 'deployment/NAME, statefulset/NAME, daemonset/NAME')
    .argument('[name]', 'NAME or NAMESPACE/NAME')
    .option('-n, --namespace <name>', 'namespace');
}

const LOOK_MS = 500;

interface StatusFlags {
  readonly watch: boolean;
  readonly timeout?: number;
}

async function waitFor(
  target: WorkloadTarget,
  flags: CommonFlags & StatusFlags,
  terminal: Terminal,
): Promise<void> {
  const connection = connectionOf(flags, terminal);
  let before = '';
  const look = async (): Promise<RolloutProgress> => {
    const path = objectPath(target.kind, target.namespace, target.name);
    const progress = rolloutProgress(await askAgent<KubernetesObject>(connection, 'GET', path));
    if (!progress)
      throw new InvalidArgumentError(
        `${target.kind.plural} have no rollout; name a deployment, statefulset or daemonset`,
      );
    if (progress.message !== before && !progress.failed) terminal.out(`${printable(progress.message)}\n`);
    before = progress.message;
    return progress;
  };
  const until = flags.timeout ? Date.now() + flags.timeout * 1000 : Infinity;
  let progress = await look();
  // A deadline passes without anything happening to a pod: it is asked for, not waited for.
  while (flags.watch && !progress.done && !progress.failed && Date.now() < until) {
    await sleep(LOOK_MS);
    progress = await look();
  }
  if (progress.failed) throw new CodedError('ROLLOUT_FAILED', progress.message);
  if (!progress.done && flags.watch)
    throw new CodedError('ROLLOUT_TIMEOUT', `the rollout is not over: ${progress.message}`);
}

interface HistoryFlags extends ConnectionFlags {
  readonly revision?: number;
  readonly output?: ObjectOutput;
}

async function history(target: WorkloadTarget, flags: HistoryFlags, terminal: Terminal): Promise<string> {
  const connection = connectionOf(flags, terminal);
  const { kind, namespace, name } = target;
  const object = await askAgent<KubernetesObject>(connection, 'GET', objectPath(kind, namespace, name));
  const children = resourceKind(kind.kind === 'Deployment' ? 'replicasets' : 'controllerrevisions');
  const { items } = await askAgent<{ readonly items: readonly KubernetesObject[] }>(
    connection,
    'GET',
    collectionPath(children, namespace),
  );
  const { revision, output } = flags;
  return historyText(target.word, revisionsOf(items, object.metadata.uid), {
    ...(revision === undefined ? {} : { revision }),
    ...(output === undefined ? {} : { output }),
    isTty: terminal.isTty,
  });
}
