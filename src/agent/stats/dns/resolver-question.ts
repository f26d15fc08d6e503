import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { parseResolver } from '../../pod/spec/resolver-file.ts';

/** What a look-up asks, and whom, in order. */
export interface ResolverQuestion {
  readonly servers: readonly string[];
  readonly timeoutMs: number;
  readonly name: string;
  readonly type: 'A' | 'NS';
}

const MOST_BYTES = 16_384;
const MOST_SERVERS = 3;
const DEFAULT_TIMEOUT_S = 5;
const LONGEST_TIMEOUT_S = 30;

/**
 * The question to a pod's name servers: its first search domain, which they know best; the root where it has none.
 * Undefined where it names no IPv4 server. Source: resolv.conf(5)
 */
export function questionOf(resolverFile: string): ResolverQuestion | undefined {
  const { nameservers, searches, options } = parseResolver(resolverFile);
  const servers = nameservers.filter((address) => isIPv4(address)).slice(0, MOST_SERVERS);
  if (servers.length === 0) return undefined;
  const asked = Number(options.findLast((option) => option.startsWith('timeout:'))?.slice('timeout:'.length));
  const seconds = asked >= 1 ? Math.min(asked, LONGEST_TIMEOUT_S) : DEFAULT_TIMEOUT_S;
  const search = searches.find((domain) => /^[\w.-]{1,250}$/.test(domain) && domain !== '.');
  return {
    servers,
    timeoutMs: seconds * 1000,
    ...(search === undefined ? { name: '', type: 'NS' } : { name: search, type: 'A' }),
  };
}

/** A container's own /etc/resolv.conf; undefined when it has none that is a plain file of reasonable size. */
export function readResolverFile(pid: number): string | undefined {
  let descriptor: number | undefined;
  try {
    // What lies there is the container's doing: a pipe must not hold us, a device must not feed us.
    descriptor = openSync(`/proc/${pid}/root/etc/resolv.conf`, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) return undefined;
    const buffer = Buffer.alloc(MOST_BYTES);
    return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, MOST_BYTES, 0));
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
