import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { CancelTimer, Clock } from '../../../../util/clock.ts';
import type { Place } from './tcp-relay.ts';

/** Who sent nothing and was sent nothing for so long is forgotten. Source: conntrack's udp_timeout_stream is 120 s */
const IDLE_MS = 120_000;
/** Senders whose answers find their way back; the one that is quiet longest makes room. */
const MOST_SENDERS = 1024;

interface Sender {
  readonly socket: Socket;
  readonly target: Place;
  cancel: CancelTimer;
}

const isSame = (a: Place, b: Place) => a.host === b.host && a.port === b.port;
const family = (host: string) => (isIPv6(host) ? 'udp6' : 'udp4');

/**
 * Passes datagrams of a bound socket on to `targets`, and their answers back to who asked, each sender by a socket of its
 * own. A sender stays with its target for as long as that is one. Datagrams that cannot be delivered are lost, as
 * datagrams are. The function it returns closes all.
 */
export function relayDatagrams(socket: Socket, targets: () => readonly Place[], clock: Clock): () => void {
  const senders = new Map<string, Sender>();
  let turn = 0;

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
  const senderOf = (key: string, address: string, port: number): Sender | undefined => {
    const all = targets();
    const known = senders.get(key);
    if (known && all.some((place) => isSame(place, known.target))) return known;
    forget(key);
    turn = (turn + 1) % Math.max(1, all.length);
    const target = all[turn];
    if (target === undefined) return undefined;
    if (senders.size >= MOST_SENDERS) forget(senders.keys().next().value!);
    const own = createSocket(family(target.host));
    const sender: Sender = { socket: own, target, cancel: () => {} };
    own.on('error', () => forget(key));
    own.on('message', (answer, from) => {
      const isTarget = isSame({ host: from.address, port: from.port }, target);
      if (!isTarget || senders.get(key) !== sender) return;
      awake(key, sender);
      socket.send(answer, port, address, () => undefined);
    });
    senders.set(key, sender);
    return sender;
  };

  socket.on('error', () => undefined);
  socket.on('message', (datagram, { address, port }) => {
    const key = `${address} ${port}`;
    const sender = senderOf(key, address, port);
    if (!sender) return;
    awake(key, sender);
    sender.socket.send(datagram, sender.target.port, sender.target.host, () => undefined);
  });
  return () => {
    for (const key of [...senders.keys()]) forget(key);
    socket.close();
  };
}

/** Binds a socket of this host and passes its datagrams on. Resolves when it is open. */
export function openUdpRelay(
  at: Place,
  targets: () => readonly Place[],
  clock: Clock,
): Promise<{ readonly port: number; close(): void }> {
  const socket = createSocket(family(at.host));
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(at.port, at.host, () => {
      socket.off('error', reject);
      resolve({ port: socket.address().port, close: relayDatagrams(socket, targets, clock) });
    });
  });
}
