import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type CgroupPaths, cgroupProcesses } from '../../../host/cgroup.ts';
import { runCommand } from '../../../host/command.ts';
import { needTool } from '../../../host/tool.ts';
import type { TerminalSize } from '../runtime.ts';
import { type Environment, execLines } from './environment.ts';
import type { ProcessHost } from './host.ts';
import type { StartedRecord } from './life.ts';
import { quote, quoteAll } from './shell.ts';

const sizeWords = ({ rows, columns }: TerminalSize) => `rows ${rows} cols ${columns}`;

/**
 * Shell lines that become the command on a pseudoterminal of the container, which util-linux' `script` makes. Its shell
 * first gives the terminal its size, then takes away rights and becomes the command.
 */
export function terminalLines(
  host: ProcessHost,
  command: readonly string[],
  environment: Environment,
  restrict: readonly string[],
  size: TerminalSize,
): readonly string[] {
  const [script, stty, sh, env] = (['script', 'stty', 'sh', 'env'] as const).map((name) =>
    needTool(host.tools, name),
  );
  // Exotic names of the environment come with the command; the others are exported before.
  const [exec] = execLines(command, environment, env!, restrict).slice(-1);
  const exports = execLines(command, environment, env!).slice(0, -1);
  const inner = `${quote(stty!)} ${sizeWords(size)}; ${exec}`;
  return [
    ...exports,
    // What it complains of belongs on the terminal.
    'exec 2>&1',
    `SHELL=${quote(sh!)} exec ${quoteAll([script!, '--quiet', '--flush', '--return', '--echo', 'always', '--command', inner, '/dev/null'])}`,
  ];
}

/** The terminal of a process among these, as its own mount namespace names it. */
function terminalOf(pids: readonly number[]): { readonly pid: number; readonly path: string } | undefined {
  for (const pid of pids) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const path = readlinkSync(`/proc/${pid}/fd/${fd}`);
        if (/^\/dev\/pts\/\d+$/.test(path)) return { pid, path };
      }
      readFileSync(`/proc/${pid}/stat`);
    } catch {
      // It ended meanwhile.
    }
  }
  return undefined;
}

/** Gives the command's terminal another size; the kernel tells the programs on it. */
export async function resizeTerminal(
  host: ProcessHost,
  record: StartedRecord,
  own: CgroupPaths,
  size: TerminalSize,
): Promise<void> {
  const found = terminalOf(cgroupProcesses(own));
  if (found === undefined) return;
  const stty = needTool(host.tools, 'stty');
  const words = [stty, '-F', found.path, 'rows', String(size.rows), 'cols', String(size.columns)];
  const [path, ...args] = host.namespaces
    ? [needTool(host.tools, 'nsenter'), `--target=${record.main.pid}`, '--mount', '--', ...words]
    : words;
  await runCommand(path!, args);
}
