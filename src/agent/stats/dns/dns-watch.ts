import type { Socket } from 'node:dgram';
import type { Clock } from '../../../util/clock.ts';
import { openNamespaceSocket } from '../../host/namespace-socket.ts';
import { hasSentDatagrams } from '../../host/procfs-network.ts';
import { answeredId, encodeQuestion } from './dns-message.ts';
import { type DnsLookups, noLookups, withLookup } from './lookup-histogram.ts';
import { questionOf, type ResolverQuestion, readResolverFile } from './resolver-question.ts';

/** A pod with a network of its own. */
export interface LookedUpPod {
  readonly uid: string;
  /** A process in its network that lives as long as the pod. */
  readonly sandboxPid: number;
  /** First process of a container that runs: whose resolv.conf is read. */
  readonly containerPid: number;
}

/**
 * How long look-ups take a pod: by its own resolv.conf, in its own network. Nothing is known of a pod that has never sent a
 * datagram, so has looked nothing up itself, nor of one whose name servers have never answered: it may not need them. From the first answer on, one that fails took as long as it was waited
 * for.
 */
export interface DnsWatch {
  /** Once a second, with all pods there are: looks up what is due. The same array as before means the same pods. */
  track(pods: readonly LookedUpPod[]): void;
  lookups(uid: string): DnsLookups | undefined;
  close(): void;
}

export interface DnsWatchOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Path of nsenter; undefined: nothing can be looked up in other networks. */
  readonly nsenter: string | undefined;
  readonly openSocket?: (nsenter: string, pid: number) => Promise<Socket | undefined>;
  readonly resolverFile?: (pid: number) => string | undefined;
  /** Whether the network of this process has ever sent a datagram. */
  readonly hasAsked?: (pid: number) => boolean;
}

/** A pod that ends sooner is not worth a socket. */
const SETTLED_MS = 15_000;
const INTERVAL_MS = 10_000;
/** A pod that no name server has ever answered may have none: it is asked for more and more seldom, down to this. */
const LONGEST_INTERVAL_MS = 300_000;
const MOST_A_SECOND = 10;
const MOST_PODS = 512;
const DNS_PORT = 53;

interface Watched {
  readonly sandboxPid: number;
  socket?: Socket;
  dueAt: number;
  intervalMs: number;
  busy: boolean;
  lookups?: DnsLookups;
  waiting?: { readonly id: number; readonly server: string; readonly answered: () => void };
}

export function createDnsWatch(options: DnsWatchOptions): DnsWatch {
  const { clock, random, nsenter } = options;
  const { openSocket = openNamespaceSocket, resolverFile = readResolverFile } = options;
  const { hasAsked = hasSentDatagrams } = options;
  const pods = new Map<string, Watched>();
  let before: readonly LookedUpPod[] | undefined;
  let opening = false;
  let closed = false;

  const forget = (uid: string) => {
    const pod = pods.get(uid);
    pods.delete(uid);
    if (pod?.socket) closeQuietly(pod.socket);
    delete pod?.socket;
  };

  const open = async (uid: string, pod: Watched) => {
    opening = true;
    const socket = await openSocket(nsenter!, pod.sandboxPid).finally(() => {
      opening = false;
    });
    if (!socket) return;
    if (closed || pods.get(uid) !== pod) return closeQuietly(socket);
    socket.unref();
    socket.on('error', () => forget(uid));
    socket.on('message', (message, { address, port }) => {
      const { waiting } = pod;
      if (port === DNS_PORT && address === waiting?.server && answeredId(message) === waiting.id)
        waiting.answered();
    });
    pod.socket = socket;
  };

  /** Asks one server: whether it answered in time; undefined: the question could not be sent at all. */
  const ask = (pod: Watched, server: string, question: ResolverQuestion) =>
    new Promise<boolean | undefined>((resolve) => {
      const id = Math.floor(random() * 65_536);
      const settle = (answer: boolean | undefined) => {
        cancel();
        delete pod.waiting;
        resolve(answer);
      };
      const cancel = clock.setTimer(question.timeoutMs, () => settle(false), { unref: true });
      pod.waiting = { id, server, answered: () => settle(true) };
      const { socket } = pod;
      if (!socket) return settle(undefined);
      socket.send(encodeQuestion(id, question.name, question.type), DNS_PORT, server, (error) => {
        if (error) settle(undefined);
      });
    });

  const lookUp = async (pod: Watched, question: ResolverQuestion) => {
    const from = clock.monotonic();
    let answered: boolean | undefined;
    for (const server of question.servers) {
      answered = await ask(pod, server, question);
      if (answered) break;
    }
    const isFirst = pod.lookups === undefined;
    if (!isFirst || answered) pod.intervalMs = INTERVAL_MS;
    if (answered === undefined || (!answered && isFirst)) return;
    if (isFirst) pod.dueAt = clock.monotonic() + INTERVAL_MS;
    pod.lookups = withLookup(pod.lookups ?? noLookups(clock.now()), (clock.monotonic() - from) / 1000);
  };

  const visit = async (uid: string, pod: Watched, containerPid: number) => {
    pod.dueAt = clock.monotonic() + pod.intervalMs;
    // A socket costs a process for a moment: not for who has no use of it.
    if (!pod.socket && !hasAsked(pod.sandboxPid)) return;
    pod.busy = true;
    pod.intervalMs = Math.min(2 * pod.intervalMs, LONGEST_INTERVAL_MS);
    try {
      const question = questionOf(resolverFile(containerPid) ?? '');
      if (!question) return;
      if (!pod.socket) await open(uid, pod);
      if (pod.socket) await lookUp(pod, question);
    } finally {
      pod.busy = false;
    }
  };

  return {
    track(present) {
      if (nsenter === undefined || closed) return;
      if (present !== before) {
        const living = new Map(present.map((pod) => [pod.uid, pod]));
        for (const [uid, { sandboxPid }] of pods) if (living.get(uid)?.sandboxPid !== sandboxPid) forget(uid);
        before = present;
      }
      const now = clock.monotonic();
      let visits = 0;
      for (const { uid, sandboxPid, containerPid } of present) {
        const known = pods.get(uid);
        if (!known) {
          if (pods.size < MOST_PODS)
            pods.set(uid, {
              sandboxPid,
              dueAt: now + SETTLED_MS,
              intervalMs: INTERVAL_MS,
              busy: false,
            });
          continue;
        }
        if (known.busy || now < known.dueAt || visits >= MOST_A_SECOND) continue;
        // One helper at a time: sockets are made in a row, not in a herd.
        if (!known.socket && opening) continue;
        visits += 1;
        void visit(uid, known, containerPid);
      }
    },
    lookups: (uid) => pods.get(uid)?.lookups,
    close() {
      closed = true;
      for (const uid of [...pods.keys()]) forget(uid);
    },
  };
}

function closeQuietly(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // Closed before.
  }
}
