import { type ListeningSocket, parseListening, parseSocketsInUse } from '../host/procfs-network.ts';
import type { Descriptors } from './descriptors.ts';
import type { Ration } from './ration.ts';

/** Who listens in one network namespace. */
export interface ListeningReader {
  /** Undefined where it cannot be read, or was not yet. */
  read(at: number): readonly ListeningSocket[] | undefined;
  release(): void;
}

const MOST_LISTENING = 256;
/** A listener may have taken another's place while the number of sockets stayed the same. */
const REFRESH_MS = 60_000;

/**
 * To print a table of sockets the kernel walks the whole host's hash of connections, for milliseconds on a large host;
 * the number of sockets in use it knows at once. So tables are read when that number has changed, and within the
 * ration all readers share; a namespace without TCP sockets costs nothing.
 * Source: net/ipv4/{proc,tcp_ipv4}.c, sockstat_seq_show and tcp_seq_next.
 */
export function createListeningReader(
  descriptors: Descriptors,
  pid: number,
  ration: Ration,
): ListeningReader {
  const families = ['', '6'].map((family) => ({
    inUse: descriptors.file(`/proc/${pid}/net/sockstat${family}`),
    table: descriptors.file(`/proc/${pid}/net/tcp${family}`),
  }));
  const files = families.flatMap(({ inUse, table }) => [inUse, table]);
  let known: readonly ListeningSocket[] | undefined;
  let knownCounts = '';
  let readAt = 0;

  const count = ({ inUse }: (typeof families)[number]) => {
    const length = descriptors.read(inUse, true);
    return length < 0 ? 0 : parseSocketsInUse(descriptors.buffer.toString('latin1', 0, length));
  };
  // The kernel lists listening sockets first, so a table that outgrows the buffer loses connections only.
  const readTables = (counts: readonly number[]) =>
    families.flatMap(({ table }, index) => {
      const length = counts[index] === 0 ? -1 : descriptors.read(table, true);
      return length < 0 ? [] : parseListening(descriptors.buffer.toString('latin1', 0, length));
    });

  return {
    read(at) {
      const counts = families.map(count);
      if (families.every(({ inUse }) => inUse.gone)) return undefined;
      const empty = counts.every((inUse) => inUse === 0);
      if (known && counts.join() === knownCounts && (empty || at < readAt + REFRESH_MS)) return known;
      const found = empty ? [] : ration.spend(() => readTables(counts));
      if (found === undefined) return known;
      known = found.slice(0, MOST_LISTENING);
      knownCounts = counts.join();
      readAt = at;
      return known;
    },
    release() {
      for (const file of files) descriptors.release(file);
    },
  };
}
