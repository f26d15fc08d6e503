import { connect, createServer, type Server, type Socket } from 'node:net';
import { CodedError } from '../../../../util/coded-error.ts';
import type { HostPort } from '../runtime.ts';

/** Ports of the host that lead into pods, as long as this agent runs; an agent that adopts a pod opens them again. */
export interface HostPorts {
  /** Opens all of a pod's, or none. @throws CodedError `HOST_PORT_TAKEN`. */
  open(podUid: string, ip: string, ports: readonly HostPort[]): Promise<void>;
  close(podUid: string): void;
  closeAll(): void;
}

const MOST_CONNECTIONS = 1024;

const shown = ({ hostIp, hostPort }: HostPort) => `${hostIp ?? '0.0.0.0'}:${hostPort}`;

function forward(client: Socket, ip: string, port: number): void {
  const pod = connect({ host: ip, port, allowHalfOpen: true });
  const end = () => {
    client.destroy();
    pod.destroy();
  };
  client.on('error', end);
  pod.on('error', end);
  client.pipe(pod).pipe(client);
}

function listen(port: HostPort, ip: string, owner: string | undefined): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (client) => forward(client, ip, port.containerPort));
  server.maxConnections = MOST_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const who = owner === undefined ? 'another process of this host' : `pod ${owner}`;
      const why =
        code === 'EADDRINUSE'
          ? `${who} has it; ask who with: ss -ltnp 'sport = :${port.hostPort}'; stop it or choose another hostPort`
          : (code ?? message);
      reject(
        new CodedError('HOST_PORT_TAKEN', `hostPort ${shown(port)} cannot be opened: ${why}`, {
          status: 409,
        }),
      );
    });
    server.listen({ port: port.hostPort, host: port.hostIp ?? '0.0.0.0' }, () => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}

/** Forwards TCP; UDP is left to runtimes with a network of their own. */
export function createHostPorts(): HostPorts {
  const servers = new Map<string, readonly { readonly server: Server; readonly place: string }[]>();
  const ownerOf = (place: string) =>
    [...servers].find(([, opened]) => opened.some((entry) => entry.place === place))?.[0];
  const close = (podUid: string) => {
    for (const { server } of servers.get(podUid) ?? []) server.close();
    servers.delete(podUid);
  };
  return {
    async open(podUid, ip, ports) {
      close(podUid);
      const opened: { server: Server; place: string }[] = [];
      try {
        for (const port of ports.filter(({ protocol }) => protocol === 'TCP')) {
          opened.push({ server: await listen(port, ip, ownerOf(shown(port))), place: shown(port) });
        }
      } catch (error) {
        for (const { server } of opened) server.close();
        throw error;
      }
      servers.set(podUid, opened);
    },
    close,
    closeAll() {
      for (const podUid of [...servers.keys()]) close(podUid);
    },
  };
}
