import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { SESSION_PROTOCOL } from '../http/session-frames.ts';
import type { Pod } from '../model/kubernetes.ts';
import { request as httpRequest } from '../util/node-http.ts';
import { type Connection, readText, refusal, unreachable } from './client.ts';
import { objectPath, resourceKind } from './resource-kind.ts';

/**
 * Opens a session with a pod over the agent's control socket; what comes back is the raw connection.
 * @throws AGENT_UNREACHABLE, or what the agent answered.
 */
export function openSession(
  connection: Connection,
  pod: Pod,
  verb: 'exec' | 'portforward',
  query: URLSearchParams,
): Promise<{ readonly socket: Duplex; readonly head: Buffer }> {
  const { namespace, name } = pod.metadata;
  const path = `${objectPath(resourceKind('pods'), namespace, name)}/${verb}?${query}`;
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      socketPath: connection.socket,
      path,
      headers: { connection: 'Upgrade', upgrade: SESSION_PROTOCOL },
    });
    request.once('upgrade', (_response, socket, head) => resolve({ socket, head }));
    request.once('response', (response: IncomingMessage) => {
      readText(response).then((text) => reject(refusal(text, response.statusCode ?? 500)), reject);
    });
    request.once('error', (error: NodeJS.ErrnoException) => reject(unreachable(connection, error)));
    request.end();
  });
}
