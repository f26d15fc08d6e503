import { once } from 'node:events';
import { Command } from 'commander';
import type { ManifestFile } from '../../agent/api/objects.ts';
import type { App } from '../../app/app.ts';
import { type ConfigFlags, loadConfig } from '../../config/config.ts';
import { ExitStatus } from '../exit-status.ts';
import { onInterrupt } from '../interrupt.ts';
import { collect, type Terminal } from '../program.ts';
import { enterScope } from '../scope.ts';
import { printable } from '../terminal.ts';
import { describeApplied, readManifests } from './apply.ts';

type Halves = 'up' | 'agent' | 'collector';

function withProcessFlags(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file')
    .option('--data-dir <folder>', 'where data is kept')
    .option('--node <name>', 'name of this node; the host’s name when left out');
}

function withCollectorFlags(command: Command): Command {
  return command
    .option('--listen <host:port>', 'address of the page and the API', undefined)
    .option(
      '--token <token>',
      'demanded of every request; needed when not listening on loopback (PODVITALS_TOKEN)',
    )
    .option('--external-url <url>', 'how people reach the page; used in links')
    .option('--webhook <url>', 'where alerts are sent, in Alertmanager’s format', collect)
    .option('--query-url <url>', 'a Prometheus that answers all queries instead of the own store')
    .option('--remote-write-url <url>', 'where samples are sent on by Prometheus’ remote write', collect);
}

const withAgentFlags = (command: Command) =>
  command
    .option('--agent-listen <host:port>', 'address of the agent’s /metrics')
    .option('--runtime <name>', 'who runs containers: process (programs of this host, default) or podman');

/** `up [FILE…]`: agent and collector in this process; applies FILEs. */
export function upCommand(terminal: Terminal): Command {
  return withAgentFlags(withCollectorFlags(withProcessFlags(new Command('up'))))
    .description('run and watch pods: agent, collector and page in the foreground')
    .argument('[files...]', 'manifests to apply')
    .action((files: readonly string[], flags: ConfigFlags) => serve('up', files, flags, terminal));
}

/** `run FILE…`: as `up`, and exits when all its pods have ended; with 1 when one of them failed. */
export function runCommand(terminal: Terminal): Command {
  return withAgentFlags(withCollectorFlags(withProcessFlags(new Command('run'))))
    .description('as up, until all pods have ended; fails when one of them did')
    .argument('<files...>', 'manifests to apply')
    .action((files: readonly string[], flags: ConfigFlags) => serve('up', files, flags, terminal, true));
}

/** `agent`: the half beside the pods; sends by the standard OTEL_EXPORTER_OTLP_* variables. */
export function agentCommand(terminal: Terminal): Command {
  return withAgentFlags(withProcessFlags(new Command('agent')))
    .description('run and watch pods, send what is seen to a collector or any OTLP backend')
    .argument('[files...]', 'manifests to apply')
    .action((files: readonly string[], flags: ConfigFlags) => serve('agent', files, flags, terminal));
}

/** `collector`: the half that remembers, judges and tells. */
export function collectorCommand(terminal: Terminal): Command {
  return withCollectorFlags(withProcessFlags(new Command('collector')))
    .description('receive, store, judge, alert, and serve the page')
    .action((flags: ConfigFlags) => serve('collector', [], flags, terminal));
}

async function serve(
  halves: Halves,
  paths: readonly string[],
  flags: ConfigFlags,
  terminal: Terminal,
  untilEnded = false,
): Promise<void> {
  const config = loadConfig(flags, terminal.env);
  // Read before anything starts: a typing error should not cost a start.
  const manifests: readonly ManifestFile[] = await readManifests(paths);
  if (halves !== 'collector' && config.agent.runtime === 'process') enterScope(terminal);
  const { createApp } = await import('../../app/app.ts');
  const app = createApp({
    halves,
    config,
    env: terminal.env,
    say: (line) => terminal.out(`${printable(line)}\n`),
  });
  // From the first step on: what was begun is cleared away whenever it is interrupted.
  const interrupted = onInterrupt(
    terminal,
    'stopping; a second Ctrl-C stops at once and leaves pods as they are',
  );
  let went = true;
  try {
    await app.start();
    if (manifests.length > 0 && !interrupted.aborted) terminal.out(await applied(app, manifests, terminal));
    if (interrupted.aborted) return;
    terminal.out(`${app.readyLine()}\n`);
    if (untilEnded) went = await app.ended(interrupted).catch(whenInterrupted(interrupted));
    else await once(interrupted, 'abort');
  } finally {
    await app.stop();
  }
  if (!went) throw new ExitStatus(1);
}

/** A run that is interrupted has not ended well. */
const whenInterrupted = (signal: AbortSignal) => (error: unknown) => {
  if (!signal.aborted) throw error;
  return false;
};

async function applied(app: App, manifests: readonly ManifestFile[], terminal: Terminal): Promise<string> {
  const outcome = await app.apply(manifests);
  for (const warning of outcome.warnings) terminal.err(`Warning: ${printable(warning)}\n`);
  return describeApplied(outcome);
}
