/** An IPv4 block; `address` is its first address as a number. */
export interface Ipv4Block {
  readonly address: number;
  readonly prefix: number;
}

export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export function printIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

const sizeOf = (prefix: number) => 2 ** (32 - prefix);

/** `10.1.2.0/24`, host bits cleared; undefined when it is no such block. */
export function parseBlock(text: string): Ipv4Block | undefined {
  const [host = '', length = '32'] = text.split('/');
  const address = parseIpv4(host);
  const prefix = Number(length);
  if (address === undefined || !Number.isInteger(prefix) || prefix < 0 || prefix > 32) return undefined;
  return { address: address - (address % sizeOf(prefix)), prefix };
}

export const printBlock = (block: Ipv4Block) => `${printIpv4(block.address)}/${block.prefix}`;

export function overlaps(a: Ipv4Block, b: Ipv4Block): boolean {
  return a.address < b.address + sizeOf(b.prefix) && b.address < a.address + sizeOf(a.prefix);
}

const fromLittleEndianHex = (hex: string) => {
  const bytes = hex.match(/../g) ?? [];
  return bytes.reduceRight((sum, byte) => sum * 256 + Number.parseInt(byte, 16), 0);
};

/** Destinations of /proc/net/route, the default route left out. Source: net/ipv4/fib_trie.c, fib_route_seq_show. */
export function parseRoutes(text: string): readonly Ipv4Block[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, destination, , , , , , mask] = line.split('\t');
      if (destination === undefined || mask === undefined || mask.trim() === '00000000') return [];
      const bits = fromLittleEndianHex(mask.trim()).toString(2).replaceAll('0', '').length;
      return [{ address: fromLittleEndianHex(destination), prefix: bits }];
    });
}

/** Room for as many pods as the kernel lets a bridge have ports: 1,024. Source: net/bridge/br_private.h, BR_MAX_PORTS */
const PREFIX = 22;
export const MOST_SUBNETS = 2 ** (PREFIX - 16);

/** The first /22 of 10.137.0.0/16 that touches none of `taken`; undefined when all do. */
export function chooseSubnet(taken: readonly Ipv4Block[]): Ipv4Block | undefined {
  const first = parseIpv4('10.137.0.0')!;
  for (let index = 0; index < MOST_SUBNETS; index += 1) {
    const block = { address: first + index * sizeOf(PREFIX), prefix: PREFIX };
    if (!taken.some((other) => overlaps(block, other))) return block;
  }
  return undefined;
}

/** The gateway: the block's first usable address. */
export const gatewayOf = (block: Ipv4Block) => printIpv4(block.address + 1);

/**
 * A free address for a pod, looking on from `after`, so that one just given back is not given out at once;
 * undefined when the block is full. Network, gateway and broadcast addresses are never given.
 */
export function chooseAddress(
  block: Ipv4Block,
  used: ReadonlySet<string>,
  after: string | undefined,
): string | undefined {
  const usable = sizeOf(block.prefix) - 3;
  const start = after === undefined ? 0 : Math.max(0, (parseIpv4(after) ?? 0) - block.address - 1);
  for (let step = 0; step < usable; step += 1) {
    const address = printIpv4(block.address + 2 + ((start + step) % usable));
    if (!used.has(address)) return address;
  }
  return undefined;
}
