import type { IncomingMessage } from 'node:http';
import { CodedError, isCodedError, messageOf } from '../util/coded-error.ts';
import { request as httpRequest } from '../util/node-http.ts';

/** Where the commands reach the two halves. */
export interface Connection {
  readonly socket: string;
  readonly server: string;
  readonly token?: string;
}

/** Asks the agent over its control socket. @throws AGENT_UNREACHABLE, or what the agent answered. */
export async function askAgent<Answer>(
  connection: Connection,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await openAgent(connection, method, path, body);
  const text = await readText(response);
  if ((response.statusCode ?? 500) >= 400) throw refusal(text, response.statusCode ?? 500);
  return JSON.parse(text) as Answer;
}

/**
 * As `askAgent`, for an answer that is text: each piece is handed on as it comes, the next when that is done with.
 * @throws AGENT_LEFT when it ends in the middle.
 */
export async function streamAgent(
  connection: Connection,
  path: string,
  onText: (text: string) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const response = await openAgent(connection, 'GET', path, undefined, signal);
  if ((response.statusCode ?? 500) >= 400)
    throw refusal(await readText(response), response.statusCode ?? 500);
  response.setEncoding('utf8');
  try {
    for await (const piece of response) await onText(piece as string);
  } catch (error) {
    if (signal?.aborted) return;
    if (isCodedError(error)) throw error;
    throw new CodedError('AGENT_LEFT', `the agent at ${connection.socket} ended the connection`, {
      cause: error,
    });
  }
}

function openAgent(
  connection: Connection,
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        socketPath: connection.socket,
        method,
        path,
        headers:
          payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    );
    request.once('error', (error: NodeJS.ErrnoException) => {
      reject(unreachable(connection, error));
    });
    request.end(payload);
  });
}

export function unreachable(connection: Connection, error: NodeJS.ErrnoException): CodedError {
  const hint =
    error.code === 'EACCES'
      ? 'only the user who started the agent, and root, may use it'
      : 'start one with: podvitals up FILE (or name its folder with --data-dir)';
  return new CodedError(
    'AGENT_UNREACHABLE',
    `no agent answers at ${connection.socket} (${error.code ?? error.message}); ${hint}`,
    { cause: error },
  );
}

/** Asks the collector over HTTP. @throws SERVER_UNREACHABLE, or what the collector answered. */
export async function askServer<Answer>(connection: Connection, path: string): Promise<Answer> {
  return JSON.parse(await readServer(connection, path)) as Answer;
}

/** As `askServer`, for an answer that is text. */
export async function readServer(connection: Connection, path: string): Promise<string> {
  const response = await openServer(connection, path);
  const text = await response.text();
  if (!response.ok) throw refusal(text, response.status);
  return text;
}

export async function openServer(
  connection: Connection,
  path: string,
  signal?: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(new URL(path, connection.server), {
      headers: connection.token === undefined ? {} : { authorization: `Bearer ${connection.token}` },
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const cause =
      error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    throw new CodedError(
      'SERVER_UNREACHABLE',
      `no collector answers at ${connection.server} (${cause}); start one with: podvitals up FILE, or name it with --server`,
      { cause: error },
    );
  }
}

export async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const piece of response) text += piece as string;
  return text;
}

// Both halves answer errors as a Kubernetes Status, the Prometheus API as {status, error}.
export function refusal(text: string, status: number): CodedError {
  try {
    const body = JSON.parse(text) as { message?: string; error?: string; reason?: string };
    return new CodedError(body.reason ?? 'REFUSED', body.message ?? body.error ?? `answered ${status}`, {
      status,
    });
  } catch {
    return new CodedError('REFUSED', `answered ${status}: ${text.slice(0, 200)}`, { status });
  }
}
