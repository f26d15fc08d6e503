import { Command } from 'commander';
import { CodedError } from '../../util/coded-error.ts';
import { runInPod, windowOf } from '../command-session.ts';
import { ExitStatus } from '../exit-status.ts';
import { podOf } from '../pod-choice.ts';
import { type CommonFlags, connectionOf, type Terminal, withConnection } from '../program.ts';

interface ExecFlags extends CommonFlags {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
}

/** `exec [-it] POD [-c CONTAINER] -- COMMAND`: runs a command in a container; its exit code is ours. */
export function execCommand(terminal: Terminal): Command {
  return withConnection(new Command('exec'))
    .description('run a command in a container')
    .argument(
      '<pod>',
      'a pod’s NAME or NAMESPACE/NAME, or KIND/NAME of a workload or Service: one of its pods',
    )
    .argument('<command...>', 'after --: the program and its arguments')
    .option('-n, --namespace <name>', 'namespace')
    .option('-c, --container <name>', 'container; the first one when left out')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'give the command a terminal')
    .action(async (name: string, command: readonly string[], flags: ExecFlags) => {
      const connection = connectionOf(flags, terminal);
      const pod = await podOf(connection, name, flags);
      const streams = terminal.streams;
      if (streams === undefined) throw new CodedError('NO_STREAMS', 'exec needs standard streams');
      const { stdin, stdout, stderr } = streams;
      const wantsTty = flags.tty === true && flags.stdin === true && stdin.isTTY === true;
      if (flags.tty && !wantsTty)
        terminal.err('podvitals: no terminal is passed on: standard input is none, or -i is missing\n');
      if (wantsTty) stdin.setRawMode?.(true);
      try {
        const exitCode = await runInPod(connection, pod, {
          container: flags.container,
          command,
          stdin: flags.stdin ? stdin : undefined,
          stdout,
          stderr,
          terminal: wantsTty ? windowOf(stdout) : undefined,
        });
        if (exitCode !== 0) throw new ExitStatus(exitCode);
      } finally {
        if (wantsTty) stdin.setRawMode?.(false);
      }
    });
}
