import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { CHANNEL, createFrameReader, writeFrame } from '../http/session-frames.ts';
import type { Pod } from '../model/kubernetes.ts';
import { CodedError } from '../util/coded-error.ts';
import type { Connection } from './client.ts';
import { openSession } from './session.ts';

export interface CommandOptions {
  readonly container?: string | undefined;
  readonly command: readonly string[];
  /** Absent: the command has nothing on its standard input. */
  readonly stdin?: Readable | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** The terminal's size now; absent: no terminal. */
  readonly terminal?: { size(): Size; onResize(listener: () => void): () => void } | undefined;
}

interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** The window that output is shown in. One that says it has no size (a serial line, `script`, `expect`) is 80 by 24. */
export function windowOf(
  stdout: Writable & { readonly rows?: number; readonly columns?: number },
): NonNullable<CommandOptions['terminal']> {
  return {
    size: () => ({ rows: stdout.rows || 24, columns: stdout.columns || 80 }),
    onResize(listener) {
      stdout.on('resize', listener);
      return () => void stdout.off('resize', listener);
    },
  };
}

/**
 * Runs a command in a container, connected to these streams; resolves with its exit code.
 * @throws AGENT_LEFT when the connection ends before the command.
 */
export async function runInPod(connection: Connection, pod: Pod, options: CommandOptions): Promise<number> {
  const { container, command, stdin, terminal } = options;
  const size = terminal?.size();
  const words: readonly (readonly string[])[] = [
    ...(container === undefined ? [] : [['container', container]]),
    ...command.map((word) => ['command', word]),
    ['stdin', String(stdin !== undefined)],
    ['tty', String(terminal !== undefined)],
    ...(size === undefined
      ? []
      : [
          ['rows', String(size.rows)],
          ['columns', String(size.columns)],
        ]),
  ];
  const query = new URLSearchParams(words.map(([name, value]) => [name!, value!] as [string, string]));
  const { socket, head } = await openSession(connection, pod, 'exec', query);
  const stopResizing = terminal?.onResize(() =>
    socket.write(writeFrame(CHANNEL.resize, Buffer.from(JSON.stringify(terminal.size())))),
  );
  const onInput = (chunk: Buffer | string) => {
    if (socket.write(writeFrame(CHANNEL.stdin, Buffer.from(chunk as Buffer)))) return;
    stdin?.pause();
    socket.once('drain', () => stdin?.resume());
  };
  const onEnd = () => socket.write(writeFrame(CHANNEL.close, Buffer.from([CHANNEL.stdin])));
  stdin?.on('data', onInput);
  stdin?.once('end', onEnd);
  const read = createFrameReader();
  let exitCode: number | undefined;
  try {
    const take = async (bytes: Buffer) => {
      for (const { channel, payload } of read(bytes)) {
        if (channel === CHANNEL.status)
          exitCode = (JSON.parse(payload.toString()) as { exitCode: number }).exitCode;
        else {
          const target = channel === CHANNEL.stderr ? options.stderr : options.stdout;
          if (!target.write(payload)) await once(target, 'drain');
        }
      }
    };
    await take(head);
    for await (const bytes of socket) await take(bytes as Buffer);
  } catch (cause) {
    if (exitCode === undefined) throw left(connection, cause);
  } finally {
    stopResizing?.();
    stdin?.off('data', onInput);
    stdin?.off('end', onEnd);
    stdin?.pause();
    socket.destroy();
  }
  if (exitCode === undefined) throw left(connection);
  return exitCode;
}

const left = (connection: Connection, cause?: unknown) =>
  new CodedError('AGENT_LEFT', `the agent at ${connection.socket} ended the connection`, { cause });
