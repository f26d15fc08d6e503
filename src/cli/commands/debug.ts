import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import type { DebugCopyMade } from '../../agent/api/debug.ts';
import type { Pod } from '../../model/kubernetes.ts';
import { type PodSource, sourceOf } from '../../model/source-command.ts';
import { systemClock } from '../../util/clock.ts';
import { CodedError, isCodedError, messageOf } from '../../util/coded-error.ts';
import { shellQuote } from '../../util/shell-quote.ts';
import { askAgent, askServer, streamAgent } from '../client.ts';
import { runInPod, windowOf } from '../command-session.ts';
import { debugCommands } from '../debug-commands.ts';
import { ExitStatus } from '../exit-status.ts';
import { findPod } from '../pod-choice.ts';
import {
  type CommonFlags,
  connectionOf,
  parseName,
  positiveInteger,
  type Terminal,
  withConnection,
} from '../program.ts';
import { objectPath, resourceKind } from '../resource-kind.ts';
import { printable, printableLines } from '../terminal.ts';

interface DebugFlags extends CommonFlags {
  readonly container?: string;
  readonly run?: boolean;
  readonly network?: boolean;
  readonly node?: boolean;
  readonly seconds: number;
}

type Connection = ReturnType<typeof connectionOf>;

/** `debug POD`: ways to look at a pod that crashes, each undone when it ends. */
export function debugCommand(terminal: Terminal): Command {
  return withConnection(new Command('debug'))
    .description('look around in a copy of a pod that sleeps instead of crashing')
    .argument('[pod]', 'NAME or NAMESPACE/NAME of a pod, or of a workload with one pod')
    .argument('[command...]', 'after --: what to run instead of a shell')
    .option('-n, --namespace <name>', 'namespace')
    .option('-c, --container <name>', 'container; the first one when left out')
    .option('--run', 'instead: its own command once, probes off, until it ends')
    .option('--network', "instead: a shell with this host's tools (ss, curl, …) in the pod's network")
    .option('--node', 'instead: what the node has to say')
    .option('--seconds <n>', 'when the copy ends at the latest', positiveInteger, 3600)
    .action(async (name: string | undefined, command: readonly string[], flags: DebugFlags) => {
      if (flags.node) return showNode(terminal);
      if (name === undefined)
        throw new CodedError('POD_MISSING', 'name the pod: podvitals debug NAMESPACE/NAME (or --node)');
      const connection = connectionOf(flags, terminal);
      const target = parseName(name, flags);
      const pod = await podOrElsewhere(connection, target, flags, terminal);
      if (pod === undefined) return;
      if (flags.network) return enterNetwork(connection, pod, command, terminal);
      const made = await askAgent<DebugCopyMade>(connection, 'POST', `${pathOf(pod.metadata)}/debug`, {
        mode: flags.run ? 'run' : 'sleep',
        deadlineSeconds: flags.seconds,
        ...(flags.container === undefined ? {} : { container: flags.container }),
      });
      await withCopy(connection, made, terminal, async () => {
        if (flags.run) await runOnce(connection, made, terminal);
        else await lookAround(connection, made, command, flags, terminal);
      });
    });
}

const pathOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }) =>
  objectPath(resourceKind('pods'), namespace, name);

/** The agent's own pod; of others' the commands are printed, and there is nothing more to do. */
async function podOrElsewhere(
  connection: Connection,
  target: { readonly namespace: string; readonly name: string },
  flags: DebugFlags,
  terminal: Terminal,
): Promise<Pod | undefined> {
  let source: PodSource = 'kubernetes';
  try {
    const pod = await findPod(connection, target);
    source = sourceOf(pod);
    if (source === 'podvitals') return pod;
  } catch (error) {
    if (!isCodedError(error) || !['NOT_FOUND', 'NotFound'].includes(error.code)) throw error;
    // Known to the collector only: an agent elsewhere watches it.
    await askServer(
      connection,
      `/api/pods/${encodeURIComponent(target.namespace)}/${encodeURIComponent(target.name)}/why`,
    ).catch(() => {
      throw error;
    });
  }
  const lines = debugCommands(source, { ...target, container: flags.container });
  terminal.out(
    `This pod is not run by the agent here (${source}). There:\n${lines.map(printable).join('\n')}\n`,
  );
  return undefined;
}

/** Whatever happens, the copy goes; its deadline and the agent's next start are there for what cannot be caught. */
async function withCopy(
  connection: Connection,
  made: DebugCopyMade,
  terminal: Terminal,
  work: () => Promise<void>,
): Promise<void> {
  const remove = () => askAgent(connection, 'DELETE', `${pathOf(made)}?gracePeriodSeconds=0&wait=true`);
  const stopped = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => reject(new ExitStatus(130)));
  });
  stopped.catch(() => undefined);
  try {
    await Promise.race([work(), stopped]);
  } finally {
    await remove().then(
      () => terminal.err(`podvitals: ${printable(made.name)} is removed\n`),
      (error: unknown) =>
        terminal.err(
          `podvitals: ${printable(made.name)} could not be removed (${printable(messageOf(error))}); it ends by its deadline\n`,
        ),
    );
  }
}

async function lookAround(
  connection: Connection,
  made: DebugCopyMade,
  command: readonly string[],
  flags: DebugFlags,
  terminal: Terminal,
): Promise<void> {
  const { streams } = terminal;
  if (streams === undefined) throw new CodedError('NO_STREAMS', 'debug needs standard streams');
  const pod = await untilRunning(connection, made);
  const original = made.command.map(shellQuote).join(' ');
  terminal.err(
    `podvitals: ${printable(made.name)} is a copy of container ${printable(made.container)} that sleeps; it goes when you leave, or after ${flags.seconds} s\n` +
      (original === '' ? '' : `podvitals: its own command, to run by hand: ${printable(original)}\n`),
  );
  const { stdin, stdout, stderr } = streams;
  const tty = stdin.isTTY === true;
  if (tty) stdin.setRawMode?.(true);
  try {
    const exitCode = await runInPod(connection, pod, {
      container: made.container,
      command: command.length > 0 ? command : ['sh'],
      stdin,
      stdout,
      stderr,
      terminal: tty ? windowOf(stdout) : undefined,
    });
    if (exitCode !== 0) throw new ExitStatus(exitCode);
  } finally {
    if (tty) stdin.setRawMode?.(false);
  }
}

async function runOnce(connection: Connection, made: DebugCopyMade, terminal: Terminal): Promise<void> {
  terminal.err(`podvitals: ${printable(made.name)} runs once, without probes; Ctrl-C ends it\n`);
  const started = await untilState(connection, made, ({ running, terminated }) => !!(running ?? terminated));
  const path = `${pathOf(made)}/log?follow=${String(started.status.phase === 'Running')}`;
  await streamAgent(connection, path, (text) => terminal.out(printableLines(text)));
  const { status } = await untilState(connection, made, ({ terminated }) => terminated !== undefined);
  const end = status.containerStatuses?.[0]?.state.terminated;
  terminal.err(`podvitals: it ended with ${end?.exitCode} (${printable(end?.reason ?? 'unknown')})\n`);
  if (end?.exitCode) throw new ExitStatus(1);
}

type ContainerState = NonNullable<Pod['status']['containerStatuses']>[number]['state'];
const LOOK_EVERY_MS = 200;
const STARTS_WITHIN_MS = 60_000;

/** @throws DEBUG_COPY_ENDED, DEBUG_COPY_WAITS with what the agent says of it */
async function untilRunning(connection: Connection, made: DebugCopyMade): Promise<Pod> {
  const pod = await untilState(
    connection,
    made,
    ({ running, terminated }) => !!(running ?? terminated),
    STARTS_WITHIN_MS,
  );
  const ended = pod.status.containerStatuses?.[0]?.state.terminated;
  if (ended === undefined) return pod;
  throw new CodedError(
    'DEBUG_COPY_ENDED',
    `the copy ended at once with ${ended.exitCode}: there may be no shell in its image; ${ended.message ?? ended.reason}`,
  );
}

async function untilState(
  connection: Connection,
  made: DebugCopyMade,
  holds: (state: ContainerState) => boolean,
  withinMs = Number.POSITIVE_INFINITY,
): Promise<Pod> {
  const end = systemClock.monotonic() + withinMs;
  for (;;) {
    const pod = await askAgent<Pod>(connection, 'GET', pathOf(made));
    const state = pod.status.containerStatuses?.[0]?.state;
    if (state !== undefined && holds(state)) return pod;
    if (systemClock.monotonic() > end) {
      const why = state?.waiting?.message ?? state?.waiting?.reason ?? pod.status.phase;
      throw new CodedError('DEBUG_COPY_WAITS', `the copy does not start: ${why}`);
    }
    await new Promise<void>((resolve) => systemClock.setTimer(LOOK_EVERY_MS, resolve));
  }
}

/** A process of this host in the network of a pod, also of one whose containers are all dead. */
async function enterNetwork(
  connection: Connection,
  pod: Pod,
  command: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const file = join(dirname(connection.socket), 'pods', pod.metadata.uid, 'runtime', 'sandbox.json');
  const { infra } = readSandbox(file, pod);
  const words = command.length > 0 ? command : ['sh'];
  terminal.err(
    `podvitals: this host's tools in the network of ${printable(pod.metadata.name)} (${printable(pod.status.podIP ?? 'no address')}); exit leaves it\n`,
  );
  const child = spawn('nsenter', [`--net=/proc/${infra.pid}/ns/net`, '--', ...words], { stdio: 'inherit' });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  if (exitCode !== 0) throw new ExitStatus(exitCode);
}

function readSandbox(file: string, pod: Pod): { readonly infra: { readonly pid: number } } {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as { infra?: { pid?: unknown } };
    const pid = record.infra?.pid;
    if (typeof pid === 'number') return { infra: { pid } };
    throw new Error('it has no network of its own');
  } catch (error) {
    throw new CodedError(
      'POD_NETWORK_UNREACHABLE',
      `the network of pod ${pod.metadata.name} cannot be entered from here: ${messageOf(error)}; try: podvitals exec -it ${pod.metadata.namespace}/${pod.metadata.name} -- sh`,
      { cause: error },
    );
  }
}

/** Reads only. */
const NODE_STEPS: readonly (readonly [string, string])[] = [
  ['load and memory', 'uptime; free -m'],
  ['disks, bytes and inodes', 'df -h -x tmpfs -x overlay; df -i -x tmpfs -x overlay'],
  ['pressure', 'grep -H . /proc/pressure/* 2>/dev/null'],
  ['most memory', 'ps -eo pid,rss,pcpu,stat,comm --sort=-rss | head -8'],
  ['most CPU', 'ps -eo pid,pcpu,rss,stat,comm --sort=-pcpu | head -8'],
  ['waiting for a device (cannot be killed)', "ps -eo pid,stat,wchan:24,comm | awk 'NR==1 || $2 ~ /^D/'"],
  ['the clock', 'date -u'],
  ['the kernel, last of all', "dmesg 2>/dev/null | grep -iE 'oom|killed|error|i/o|segfault' | tail -15"],
];

async function showNode(terminal: Terminal): Promise<void> {
  for (const [what, script] of NODE_STEPS) {
    const text = await new Promise<string>((resolve) =>
      execFile('sh', ['-c', script], { timeout: 10_000 }, (_, stdout) => resolve(stdout)),
    );
    terminal.out(`== ${what}\n${printableLines(text.trimEnd() || 'nothing')}\n\n`);
  }
}
