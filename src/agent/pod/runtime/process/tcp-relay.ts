import { connect, type Server, type Socket } from 'node:net';

export interface Place {
  readonly host: string;
  readonly port: number;
}

const MOST_CONNECTIONS = 1024;

function join(client: Socket, target: Socket): void {
  const end = () => {
    client.destroy();
    target.destroy();
  };
  client.on('error', end);
  target.on('error', end);
  client.pipe(target).pipe(client);
}

/** Tries one after another; when none answers the client's connection is reset, as if nobody listened. */
function reach(client: Socket, targets: readonly Place[]): void {
  const [first, ...rest] = targets;
  if (first === undefined) {
    client.resetAndDestroy();
    return;
  }
  const target = connect({ ...first, allowHalfOpen: true });
  const give = () => target.destroy();
  client.once('close', give);
  const next = () => {
    client.off('close', give);
    if (!client.destroyed) reach(client, rest);
  };
  target.once('error', next);
  target.once('connect', () => {
    target.off('error', next);
    join(client, target);
  });
}

/**
 * Passes the connections of a server on to `targets`, to each in turn, at most 1,024 at once; who does not read is not
 * sent more. For connections that somebody else accepted, it returns the function that passes them on.
 */
export function relayConnections(server: Server, targets: () => readonly Place[]): (client: Socket) => void {
  server.maxConnections = MOST_CONNECTIONS;
  let turn = 0;
  const accept = (client: Socket) => {
    // A socket that another process handed over does not know it.
    client.allowHalfOpen = true;
    client.on('error', () => undefined);
    const all = targets();
    turn = (turn + 1) % Math.max(1, all.length);
    reach(client, [...all.slice(turn), ...all.slice(0, turn)]);
  };
  server.on('connection', accept);
  return accept;
}
