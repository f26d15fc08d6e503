import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { CancelTimer, Clock } from '../../../../util/clock.ts';

/** Who sent nothing and was sent nothing for so long is forgotten. Source: conntrack's udp_timeout_stream is 120 s */
const IDLE_MS = 120_000;
/** Senders whose answers find their way back; the one that is quiet longest makes room. */
const MOST_SENDERS = 1024;

interface Sender {
  readonly socket: Socket;
  cancel: CancelTimer;
}

export interface UdpPlace {
  readonly host: string;
  readonly port: number;
}

/**
 * Passes datagrams on to `target`, and its answers back to who asked, each sender by a socket of its own. Resolves when
 * it is open. Datagrams that cannot be delivered are lost, as datagrams are.
 */
export function openUdpRelay(
  at: UdpPlace,
  target: UdpPlace,
  clock: Clock,
): Promise<{ readonly port: number; close(): void }> {
  const family = (host: string) => (isIPv6(host) ? 'udp6' : 'udp4');
  const socket = createSocket(family(at.host));
  const senders = new Map<string, Sender>();

  const forget = (key: string) => {
    const sender = senders.get(key);
    senders.delete(key);
    sender?.cancel();
    sender?.socket.close();
  };
  const awake = (key: string, sender: Sender) => {
    sender.cancel();
    sender.cancel = clock.setTimer(IDLE_MS, () => forget(key), { unref: true });
    // The last one that was heard of stands last.
    senders.delete(key);
    senders.set(key, sender);
  };
  const senderOf = (key: string, address: string, port: number): Sender => {
    const known = senders.get(key);
    if (known) return known;
    if (senders.size >= MOST_SENDERS) forget(senders.keys().next().value!);
    const own = createSocket(family(target.host));
    const sender: Sender = { socket: own, cancel: () => {} };
    own.on('error', () => forget(key));
    own.on('message', (answer, from) => {
      const isTarget = from.address === target.host && from.port === target.port;
      if (!isTarget || senders.get(key) !== sender) return;
      awake(key, sender);
      socket.send(answer, port, address, () => undefined);
    });
    senders.set(key, sender);
    return sender;
  };

  socket.on('message', (datagram, { address, port }) => {
    const key = `${address} ${port}`;
    const sender = senderOf(key, address, port);
    awake(key, sender);
    sender.socket.send(datagram, target.port, target.host, () => undefined);
  });

  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(at.port, at.host, () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve({
        port: socket.address().port,
        close() {
          for (const key of [...senders.keys()]) forget(key);
          socket.close();
        },
      });
    });
  });
}
