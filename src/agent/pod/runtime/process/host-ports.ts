import { createServer } from 'node:net';
import type { Clock } from '../../../../util/clock.ts';
import { CodedError } from '../../../../util/coded-error.ts';
import type { HostPort } from '../runtime.ts';
import { relayConnections } from './tcp-relay.ts';
import { openUdpRelay } from './udp-relay.ts';

/** Ports of the host that lead into pods, as long as this agent runs; an agent that adopts a pod opens them again. */
export interface HostPorts {
  /** Opens all of a pod's, or none. @throws CodedError `HOST_PORT_TAKEN`. */
  open(podUid: string, ip: string, ports: readonly HostPort[]): Promise<void>;
  close(podUid: string): void;
  closeAll(): void;
}

const ANY = '0.0.0.0';

const shown = ({ hostIp, hostPort, protocol }: HostPort) =>
  `${hostIp ?? ANY}:${hostPort}${protocol === 'UDP' ? '/UDP' : ''}`;

interface Open {
  close(): void;
}

function listenTcp(port: HostPort, ip: string): Promise<Open> {
  const server = createServer({ allowHalfOpen: true });
  relayConnections(server, () => [{ host: ip, port: port.containerPort }]);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: port.hostPort, host: port.hostIp ?? ANY }, () => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      resolve({ close: () => void server.close() });
    });
  });
}

const listenUdp = (port: HostPort, ip: string, clock: Clock): Promise<Open> =>
  openUdpRelay(
    { host: port.hostIp ?? ANY, port: port.hostPort },
    () => [{ host: ip, port: port.containerPort }],
    clock,
  );

function taken(
  port: HostPort,
  owner: string | undefined,
  { code, message }: NodeJS.ErrnoException,
): CodedError {
  const who = owner === undefined ? 'another process of this host' : `pod ${owner}`;
  const flags = port.protocol === 'TCP' ? '-ltnp' : '-lunp';
  const why =
    code === 'EADDRINUSE'
      ? `${who} has it; ask who with: ss ${flags} 'sport = :${port.hostPort}'; stop it or choose another hostPort`
      : (code ?? message);
  return new CodedError('HOST_PORT_TAKEN', `hostPort ${shown(port)} cannot be opened: ${why}`, {
    status: 409,
  });
}

/** Forwards TCP connections and UDP datagrams. */
export function createHostPorts(clock: Clock): HostPorts {
  const pods = new Map<string, readonly { readonly open: Open; readonly place: string }[]>();
  const ownerOf = (place: string) =>
    [...pods].find(([, opened]) => opened.some((entry) => entry.place === place))?.[0];
  const close = (podUid: string) => {
    for (const { open } of pods.get(podUid) ?? []) open.close();
    pods.delete(podUid);
  };
  return {
    async open(podUid, ip, ports) {
      close(podUid);
      const opened: { open: Open; place: string }[] = [];
      for (const port of ports) {
        try {
          const listen = port.protocol === 'UDP' ? listenUdp : listenTcp;
          opened.push({ open: await listen(port, ip, clock), place: shown(port) });
        } catch (error) {
          for (const { open } of opened) open.close();
          throw taken(port, ownerOf(shown(port)), error as NodeJS.ErrnoException);
        }
      }
      pods.set(podUid, opened);
    },
    close,
    closeAll() {
      for (const podUid of [...pods.keys()]) close(podUid);
    },
  };
}
