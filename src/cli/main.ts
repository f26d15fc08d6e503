import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { VERSION } from '../app/version.ts';
import { isCodedError } from '../util/coded-error.ts';
import { ExitStatus } from './exit-status.ts';
import type { Terminal } from './program.ts';
import { printableLines } from './terminal.ts';

/**
 * Runs one command line (without node and script). Resolves with the exit code: 0 done, 1 failed or not found, 2 usage.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const program = await createProgram(terminal, args[0]);
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ExitStatus) return error.status;
    if (error instanceof CommanderError) {
      // commander has printed its own errors ("error: …"); those our actions throw it has not.
      if (error.code === 'commander.invalidArgument' && !error.message.startsWith('error:'))
        terminal.err(`podvitals: ${error.message}\n`);
      return error.exitCode === 0 ? 0 : 2;
    }
    if (isCodedError(error)) {
      terminal.err(`${printableLines(error.message).replace(/^/, 'podvitals: ')}\n`);
      return 1;
    }
    if (error instanceof Error && error.name === 'AbortError') return 1;
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.err(`podvitals: this is a defect in podvitals, please report it:\n${printableLines(message)}\n`);
    return 1;
  }
}

async function createProgram(terminal: Terminal, name: string | undefined): Promise<Command> {
  const program = new Command('podvitals')
    .description('The vital signs of pods: what is wrong, why, and what to do next.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(podvitals --help tells more)')
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
  const commands: Readonly<Record<string, () => Promise<Command>>> = {
    up: () => import('./commands/up.ts').then((module) => module.upCommand(terminal)),
    run: () => import('./commands/up.ts').then((module) => module.runCommand(terminal)),
    agent: () => import('./commands/up.ts').then((module) => module.agentCommand(terminal)),
    collector: () => import('./commands/up.ts').then((module) => module.collectorCommand(terminal)),
    apply: () => import('./commands/apply.ts').then((module) => module.applyCommand(terminal)),
    create: () => import('./commands/create.ts').then((module) => module.createCommand(terminal)),
    get: () => import('./commands/get.ts').then((module) => module.getCommand(terminal)),
    inspect: () => import('./commands/inspect.ts').then((module) => module.inspectCommand(terminal)),
    describe: () => import('./commands/describe.ts').then((module) => module.describeCommand(terminal)),
    logs: () => import('./commands/logs.ts').then((module) => module.logsCommand(terminal)),
    events: () => import('./commands/events.ts').then((module) => module.eventsCommand(terminal)),
    why: () => import('./commands/why.ts').then((module) => module.whyCommand(terminal)),
    debug: () => import('./commands/debug.ts').then((module) => module.debugCommand(terminal)),
    incidents: () => import('./commands/incidents.ts').then((module) => module.incidentsCommand(terminal)),
    postmortem: () => import('./commands/postmortem.ts').then((module) => module.postmortemCommand(terminal)),
    delete: () => import('./commands/delete.ts').then((module) => module.deleteCommand(terminal)),
    wait: () => import('./commands/wait.ts').then((module) => module.waitCommand(terminal)),
    cordon: () => import('./commands/node.ts').then((module) => module.cordonCommand(terminal, 'cordon')),
    uncordon: () => import('./commands/node.ts').then((module) => module.cordonCommand(terminal, 'uncordon')),
    drain: () => import('./commands/node.ts').then((module) => module.drainCommand(terminal)),
    generate: () => import('./commands/generate.ts').then((module) => module.generateCommand(terminal)),
    prune: () => import('./commands/prune.ts').then((module) => module.pruneCommand(terminal)),
    doctor: () => import('./commands/doctor.ts').then((module) => module.doctorCommand(terminal)),
    scale: () => import('./commands/scale.ts').then((module) => module.scaleCommand(terminal)),
    rollout: () => import('./commands/rollout.ts').then((module) => module.rolloutCommand(terminal)),
    exec: () => import('./commands/exec.ts').then((module) => module.execCommand(terminal)),
    cp: () => import('./commands/cp.ts').then((module) => module.cpCommand(terminal)),
    'port-forward': () =>
      import('./commands/port-forward.ts').then((module) => module.portForwardCommand(terminal)),
    top: () => import('./commands/top.ts').then((module) => module.topCommand(terminal)),
    stats: () => import('./commands/stats.ts').then((module) => module.statsCommand(terminal)),
    query: () => import('./commands/query.ts').then((module) => module.queryCommand(terminal)),
    rules: () => import('./commands/rules.ts').then((module) => module.rulesCommand(terminal)),
    slo: () => import('./commands/slo.ts').then((module) => module.sloCommand(terminal)),
  };
  // A command loads only itself; the help, and a word that is none of them, needs all.
  const asked = name !== undefined && Object.hasOwn(commands, name) ? [commands[name]!] : undefined;
  const control = asked ? [] : (await import('./commands/pod-control.ts')).podControlCommands(terminal);
  const made = await Promise.all((asked ?? Object.values(commands)).map((make) => make()));
  for (const command of [...made, ...control]) {
    program.addCommand(command.exitOverride().copyInheritedSettings(program));
    for (const inner of command.commands) inner.exitOverride().copyInheritedSettings(command);
  }
  return program;
}

function isMain(): boolean {
  const script = process.argv[1];
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isMain()) {
  // Who reads us may leave early: `podvitals get pods | head`, or a terminal that is closed. Then there is nobody to go
  // on for, unless there are pods to look after.
  const serves = ['up', 'run', 'agent', 'collector'].includes(process.argv[2] ?? '');
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      if (!serves) process.exit(0);
    });
  }
  process.exitCode = await run(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    isTty: process.stdout.isTTY ?? false,
    streams: process,
    ...(process.execve === undefined
      ? {}
      : {
          rerun: (words: readonly string[], env: NodeJS.ProcessEnv) =>
            process.execve!(
              words[0]!,
              [...words, process.execPath, ...process.execArgv, ...process.argv.slice(1)],
              env,
            ),
        }),
  });
}
