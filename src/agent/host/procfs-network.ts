import { readFileSync } from 'node:fs';
import { HASH_START, hashNext, hashOf, numberAt } from './flat-keyed.ts';

const SPACE = 0x20;
const NEWLINE = 0x0a;
const COLON = 0x3a;

/** The sixteen columns of /proc/net/dev that follow an interface's name. */
export const NET_DEV = {
  receiveBytes: 0,
  receivePackets: 1,
  receiveErrors: 2,
  receiveDropped: 3,
  transmitBytes: 8,
  transmitPackets: 9,
  transmitErrors: 10,
  transmitDropped: 11,
} as const;

/** Calls `visit` for each interface of /proc/<pid>/net/dev with its columns, which are only valid during the call. */
export function parseNetDev(
  bytes: Buffer,
  length: number,
  visit: (name: string, columns: Float64Array) => void,
): void {
  const columns = new Float64Array(16);
  let at = 0;
  while (at < length) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline === -1 || newline > length ? length : newline;
    const colon = bytes.indexOf(COLON, at);
    if (colon !== -1 && colon < end) {
      let start = at;
      while (bytes[start] === SPACE) start += 1;
      readColumns(bytes, colon + 1, end, columns);
      visit(bytes.toString('latin1', start, colon), columns);
    }
    at = end + 1;
  }
}

function readColumns(bytes: Uint8Array, from: number, to: number, columns: Float64Array): void {
  columns.fill(0);
  let at = from;
  for (let i = 0; i < columns.length; i += 1) {
    while (at < to && bytes[at] === SPACE) at += 1;
    columns[i] = numberAt(bytes, at, to);
    while (at < to && bytes[at] !== SPACE) at += 1;
  }
}

/**
 * A parser of /proc/<pid>/net/snmp and netstat, where a line of names is followed by a line of numbers, both with the
 * same prefix. Fields are found by name (`Tcp:AttemptFails`), never by position: kernels add columns. Missing ones
 * are NaN.
 */
export function headedTable(
  fields: readonly string[],
): (bytes: Uint8Array, length: number, out: Float64Array) => void {
  const indexByHash = new Map(fields.map((field, index) => [hashOf(field), index]));
  if (indexByHash.size !== fields.length) throw new Error(`fields that hash alike: ${fields}`);
  const wanted = new Int32Array(1024);
  return (bytes, length, out) => {
    out.fill(Number.NaN, 0, fields.length);
    let at = 0;
    while (at < length) {
      const header = bytes.indexOf(NEWLINE, at);
      if (header === -1 || header >= length) return;
      const numbers = bytes.indexOf(NEWLINE, header + 1);
      const end = numbers === -1 || numbers > length ? length : numbers;
      const columns = readHeader(bytes, at, header, indexByHash, wanted);
      readNumbers(bytes, header + 1, end, wanted, columns, out);
      at = end + 1;
    }
  };
}

/** Notes for each column the field it is, or -1; returns the number of columns. */
function readHeader(
  bytes: Uint8Array,
  from: number,
  to: number,
  indexByHash: ReadonlyMap<number, number>,
  wanted: Int32Array,
): number {
  let at = from;
  let prefix = HASH_START;
  while (at < to && bytes[at] !== SPACE) prefix = hashNext(prefix, bytes[at++]!);
  let columns = 0;
  while (at < to && columns < wanted.length) {
    at += 1;
    let hash = prefix;
    while (at < to && bytes[at] !== SPACE) hash = hashNext(hash, bytes[at++]!);
    wanted[columns++] = indexByHash.get(hash) ?? -1;
  }
  return columns;
}

function readNumbers(
  bytes: Uint8Array,
  from: number,
  to: number,
  wanted: Int32Array,
  columns: number,
  out: Float64Array,
): void {
  let at = bytes.indexOf(SPACE, from);
  for (let i = 0; i < columns && at !== -1 && at < to; i += 1) {
    at += 1;
    if (wanted[i] !== -1) out[wanted[i]!] = numberAt(bytes, at, to);
    at = bytes.indexOf(SPACE, at);
  }
}

const parseDatagrams = headedTable(['Udp:OutDatagrams']);

/** Whether anybody in the network namespace of `pid` has sent a UDP datagram over IPv4 since it was made. */
export function hasSentDatagrams(pid: number): boolean {
  try {
    const bytes = readFileSync(`/proc/${pid}/net/snmp`);
    const found = new Float64Array(1);
    parseDatagrams(bytes, bytes.length, found);
    return found[0]! > 0;
  } catch {
    return false;
  }
}

export interface ListeningSocket {
  readonly address: string;
  readonly port: number;
}

/**
 * TCP sockets of a network namespace that are bound or connected, from /proc/<pid>/net/sockstat or sockstat6; those that
 * only wait for their end do not count. Anything else: 0.
 */
export function parseSocketsInUse(text: string): number {
  return Number(/^TCP6?: inuse (\d+)/m.exec(text)?.[1] ?? 0);
}

const LISTEN = '0A';

/**
 * The listening sockets in the text of /proc/<pid>/net/tcp or tcp6. Addresses are printed by the kernel as 32-bit words
 * in the machine's byte order, which here is little-endian. Source: proc(5), Documentation/networking/proc_net_tcp.rst
 */
export function parseListening(text: string): readonly ListeningSocket[] {
  const sockets: ListeningSocket[] = [];
  for (const line of text.split('\n')) {
    const [, local, , state] = line.trim().split(/\s+/, 4);
    if (state !== LISTEN || local === undefined) continue;
    const [address, port] = local.split(':');
    sockets.push({ address: decodeAddress(address!), port: Number.parseInt(port!, 16) });
  }
  return sockets;
}

function decodeAddress(hex: string): string {
  const octets: number[] = [];
  for (let word = 0; word < hex.length; word += 8) {
    for (let i = 6; i >= 0; i -= 2) octets.push(Number.parseInt(hex.slice(word + i, word + i + 2), 16));
  }
  if (octets.length === 4) return octets.join('.');
  if (octets.every((octet) => octet === 0)) return '::';
  const mapped =
    octets.slice(0, 10).every((octet) => octet === 0) && octets[10] === 255 && octets[11] === 255;
  return mapped ? octets.slice(12).join('.') : shortenIpv6(octets);
}

/** RFC 5952: no leading zeros, the longest run of two or more zero groups as `::`. */
function shortenIpv6(octets: readonly number[]): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((octets[i]! << 8) | octets[i + 1]!).toString(16));
  const full = groups.join(':');
  const runs = [...full.matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length);
  const run = runs[0];
  if (!run) return full;
  const before = full.slice(0, run.index).replace(/:$/, '');
  const after = full.slice(run.index + run[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}
