import type { Readable, Writable } from 'node:stream';
import { type Command, InvalidArgumentError } from 'commander';
import { controlSocket } from '../app/control-socket.ts';
import { defaultDataDir } from '../config/config.ts';
import { durationMs } from '../util/duration.ts';
import type { Connection } from './client.ts';

/** What a command line is printed to, so that tests can read it. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly env: NodeJS.ProcessEnv;
  readonly isTty: boolean;
  /** Where bytes go as they are, for commands that run others; absent: such commands cannot be used. */
  readonly streams?: {
    readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
    readonly stdout: Writable & { readonly rows?: number; readonly columns?: number };
    readonly stderr: Writable;
  };
  /** Goes on as the same command line run by `words`; absent: this process stays what it is. Returns only in tests. */
  readonly rerun?: (words: readonly string[], env: NodeJS.ProcessEnv) => void;
}

export interface ConnectionFlags {
  readonly dataDir?: string;
  readonly server?: string;
  readonly token?: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

export interface CommonFlags extends ConnectionFlags {
  readonly output?: string;
}

/** Adds the flags by which a command finds a running agent and collector. */
export function withConnection(command: Command): Command {
  return command
    .option('--data-dir <folder>', 'folder of the running agent')
    .option('--server <url>', 'address of the collector (PODVITALS_SERVER)')
    .option('--token <token>', 'token of the collector (PODVITALS_TOKEN)');
}

export function withNamespace(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'namespace')
    .option('-A, --all-namespaces', 'all namespaces');
}

export function connectionOf(flags: ConnectionFlags, terminal: Terminal): Connection {
  const token = flags.token ?? terminal.env.PODVITALS_TOKEN;
  return {
    socket: controlSocket(flags.dataDir ?? terminal.env.PODVITALS_DATA_DIR ?? defaultDataDir(terminal.env)),
    server: flags.server ?? terminal.env.PODVITALS_SERVER ?? 'http://127.0.0.1:7638',
    ...(token === undefined ? {} : { token }),
  };
}

/** `shop/cart` names namespace and name; `cart` means the namespace of -n, or `default`. */
export function parseName(
  text: string,
  flags: ConnectionFlags,
): { readonly namespace: string; readonly name: string } {
  const parts = text
    .replace(
      /^(pod|pods|po|deployment|deployments|deploy|statefulset|sts|daemonset|ds|job|cronjob)(\.[a-z]+)?\//,
      '',
    )
    .split('/');
  if (parts.length > 2 || parts.some((part) => part === '')) {
    throw new InvalidArgumentError(`"${text}" is not a name; write NAME or NAMESPACE/NAME`);
  }
  return parts.length === 2
    ? { namespace: parts[0]!, name: parts[1]! }
    : { namespace: flags.namespace ?? 'default', name: parts[0]! };
}

/** Whether a list is of all namespaces. On one machine the default one is rarely where things are: without -n it is. */
export const isEverywhere = ({ allNamespaces = false, namespace }: ConnectionFlags): boolean =>
  allNamespaces || namespace === undefined;

/** What is said in place of a list of running pods that would be empty. */
export const nothingRuns = (flags: ConnectionFlags): string =>
  `No pods run${isEverywhere(flags) ? '' : ` in namespace ${flags.namespace}`}.\n`;

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError(`"${text}" is not a whole number`);
  return value;
}

/** How long, in seconds: `90`, or as kubectl has it `90s`, `5m`. */
export function seconds(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : durationMs(text);
  if (ms === undefined) throw new InvalidArgumentError(`"${text}" is no time; write 90, 90s or 5m`);
  return ms / 1000;
}

/** Repeated flags gather into a list. */
export function collect(value: string, list: readonly string[] = []): readonly string[] {
  return [...list, value];
}
