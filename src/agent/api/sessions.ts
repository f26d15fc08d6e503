import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseRequest } from '../../http/parse-request.ts';
import { CHANNEL, createFrameReader, SESSION_PROTOCOL, writeFrame } from '../../http/session-frames.ts';
import { toStatus } from '../../http/status.ts';
import type { Pod } from '../../model/kubernetes.ts';
import { CodedError, isCodedError, messageOf } from '../../util/coded-error.ts';

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** A command that runs while its client is connected. */
export interface CommandSession {
  readonly stdin?: Writable;
  readonly stdout: Readable;
  readonly stderr?: Readable;
  readonly exitCode: Promise<number>;
  resize(size: TerminalSize): Promise<void>;
  kill(): void;
}

export interface SessionRoutesOptions {
  findPod(namespace: string, name: string): Pod | undefined;
  /** @throws CodedError when the container does not run. */
  exec(
    pod: Pod,
    container: string,
    command: readonly string[],
    options: { readonly stdin: boolean; readonly terminal?: TerminalSize },
  ): Promise<CommandSession>;
  /** Connects to a port on the pod's own loopback. */
  dial(pod: Pod, port: number): Promise<Duplex>;
  onError(error: unknown): void;
}

const MOST_SESSIONS = 256;

const size = z.coerce.number().int().min(1).max(10_000);
const flag = z.enum(['true', 'false']).default('false');
const execQuery = z.object({
  container: z.string().max(253).optional(),
  command: z.array(z.string().max(131_072)).min(1).max(4096),
  stdin: flag,
  tty: flag,
  rows: size.default(24),
  columns: size.default(80),
});
const forwardQuery = z.object({ port: z.coerce.number().int().min(1).max(65_535) });
const resizeFrame = z.object({ rows: size, columns: size });

const PATH = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/(exec|portforward)$/;

/**
 * Answers `Upgrade` on the control socket: `…/pods/NAME/exec` runs a command, `…/portforward` is a connection to one of
 * the pod's ports. Only for a socket that its owner alone may open: whoever may, runs commands as the agent.
 */
export function answerSessions(app: FastifyInstance, options: SessionRoutesOptions): void {
  const open = new Set<Duplex>();
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    if (open.size > MOST_SESSIONS) {
      refuse(
        socket,
        new CodedError('TOO_MANY_SESSIONS', `more than ${MOST_SESSIONS} sessions`, { status: 429 }),
      );
      return;
    }
    begin(request, socket, head, options).catch((error: unknown) => {
      if (!isCodedError(error)) options.onError(error);
      refuse(socket, error);
    });
  });
  app.addHook('preClose', (done) => {
    for (const socket of open) socket.destroy();
    done();
  });
}

async function begin(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: SessionRoutesOptions,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://agent');
  const [, namespace, name, verb] = PATH.exec(url.pathname) ?? [];
  if (request.headers.upgrade !== SESSION_PROTOCOL || verb === undefined)
    throw new CodedError('NOT_FOUND', `there is no session at ${url.pathname.slice(0, 200)}`, {
      status: 404,
    });
  const pod = options.findPod(decodeURIComponent(namespace!), decodeURIComponent(name!));
  if (!pod)
    throw new CodedError('NOT_FOUND', `pods "${name}" not found in namespace ${namespace}`, { status: 404 });
  if (verb === 'portforward') {
    const { port } = parseRequest(forwardQuery, Object.fromEntries(url.searchParams), 'query');
    const connection = await options.dial(pod, port);
    accept(socket);
    join(socket, connection, head);
    return;
  }
  const asked = { ...Object.fromEntries(url.searchParams), command: url.searchParams.getAll('command') };
  const query = parseRequest(execQuery, asked, 'query');
  const session = await options.exec(pod, containerOf(pod, query.container), query.command, {
    stdin: query.stdin === 'true',
    ...(query.tty === 'true' ? { terminal: { rows: query.rows, columns: query.columns } } : {}),
  });
  accept(socket);
  await serve(socket, head, session, options);
}

function containerOf(pod: Pod, wanted: string | undefined): string {
  const names = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ name }) => name);
  if (wanted === undefined) return names[0]!;
  if (names.includes(wanted)) return wanted;
  throw new CodedError(
    'CONTAINER_NOT_FOUND',
    `container ${wanted} is not in pod ${pod.metadata.name}; it has: ${names.join(', ')}`,
    { status: 400 },
  );
}

function accept(socket: Duplex): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${SESSION_PROTOCOL}\r\n\r\n`,
  );
}

function refuse(socket: Duplex, error: unknown): void {
  if (socket.destroyed) return;
  const code = isCodedError(error) ? error.status : 500;
  const body = JSON.stringify(toStatus(code, messageOf(error)));
  socket.end(
    `HTTP/1.1 ${code} Refused\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function join(socket: Duplex, connection: Duplex, head: Buffer): void {
  const end = () => {
    socket.destroy();
    connection.destroy();
  };
  connection.on('error', end);
  socket.on('error', end);
  socket.once('close', end);
  connection.once('close', end);
  if (head.length > 0) connection.write(head);
  socket.pipe(connection).pipe(socket);
}

async function serve(
  socket: Duplex,
  head: Buffer,
  session: CommandSession,
  options: SessionRoutesOptions,
): Promise<void> {
  let over = false;
  // The end of input has a frame of its own: whoever ends the connection has gone away.
  socket.once('end', () => socket.destroy());
  socket.once('close', () => {
    if (!over) session.kill();
  });
  send(session.stdout, CHANNEL.stdout, socket);
  if (session.stderr) send(session.stderr, CHANNEL.stderr, socket);
  takeInput(socket, head, session, options);
  const streams = [session.stdout, ...(session.stderr ? [session.stderr] : [])];
  const exitCode = await session.exitCode;
  await Promise.allSettled(streams.map((stream) => finished(stream, { writable: false })));
  over = true;
  if (!socket.destroyed) socket.end(writeFrame(CHANNEL.status, Buffer.from(JSON.stringify({ exitCode }))));
}

/** A reader that does not keep up holds the command up. */
function send(stream: Readable, channel: number, socket: Duplex): void {
  stream.on('data', (chunk: Buffer | string) => {
    if (socket.destroyed || socket.write(writeFrame(channel, Buffer.from(chunk as Buffer)))) return;
    stream.pause();
    socket.once('drain', () => stream.resume());
  });
  stream.on('error', () => undefined);
  socket.once('close', () => stream.resume());
}

function takeInput(
  socket: Duplex,
  head: Buffer,
  session: CommandSession,
  { onError }: SessionRoutesOptions,
): void {
  const read = createFrameReader();
  const { stdin } = session;
  stdin?.on('error', () => undefined);
  const take = (bytes: Buffer) => {
    for (const { channel, payload } of read(bytes)) {
      if (channel === CHANNEL.close) stdin?.end();
      else if (channel === CHANNEL.resize)
        session.resize(resizeFrame.parse(JSON.parse(payload.toString()))).catch(onError);
      else if (channel === CHANNEL.stdin && stdin?.writable && !stdin.write(payload)) {
        socket.pause();
        stdin.once('drain', () => socket.resume());
        stdin.once('close', () => socket.resume());
      }
    }
  };
  const guarded = (bytes: Buffer) => {
    try {
      take(bytes);
    } catch {
      // Not our client: it has broken the protocol.
      socket.destroy();
    }
  };
  if (head.length > 0) guarded(head);
  socket.on('data', guarded);
}
