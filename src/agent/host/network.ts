import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { CodedError, messageOf } from '../../util/coded-error.ts';
import { runCommand } from './command.ts';
import {
  chooseSubnet,
  gatewayOf,
  type Ipv4Block,
  MOST_SUBNETS,
  parseBlock,
  parseRoutes,
  printBlock,
} from './network-subnet.ts';

/** A bridge of our own with the pods' subnet on it; the host's address on it is the pods' gateway. */
export interface Bridge {
  readonly name: string;
  readonly subnet: Ipv4Block;
}

const BRIDGE_PREFIX = 'podvitals';
// One an agent: as many as there are subnets for.
const MOST_BRIDGES = MOST_SUBNETS;
const LINKS = '/sys/class/net';

const readLink = (link: string, file: string): string | undefined => {
  try {
    return readFileSync(`${LINKS}/${link}/${file}`, 'utf8').trim();
  } catch {
    return undefined;
  }
};

const portsOf = (bridge: string): readonly string[] => {
  try {
    return readdirSync(`${LINKS}/${bridge}/brif`);
  } catch {
    return [];
  }
};

/** Blocks this host already has an address in or a route to. */
export function takenBlocks(): readonly Ipv4Block[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .flatMap((address) => (address.family === 'IPv4' && address.cidr ? [parseBlock(address.cidr)!] : []));
  const routes = existsSync('/proc/net/route') ? parseRoutes(readFileSync('/proc/net/route', 'utf8')) : [];
  return [...addresses, ...routes];
}

/** The link's alias tells whose bridge it is: two agents on one host have one each. */
function findOwn(owner: string): string | undefined {
  return candidates().find((name) => readLink(name, 'ifalias') === owner);
}

const candidates = () => Array.from({ length: MOST_BRIDGES }, (_, index) => `${BRIDGE_PREFIX}${index}`);

export interface OwnedLink {
  readonly name: string;
  /** The data directory of the agent that made it. */
  readonly owner: string;
}

/** Every bridge that an agent made on this host, also of agents that are gone. */
export function ownedLinks(): readonly OwnedLink[] {
  return candidates().flatMap((name) => {
    const owner = readLink(name, 'ifalias');
    return owner ? [{ name, owner }] : [];
  });
}

/** Removes a link that may be gone already. */
export async function removeLink(ip: string, name: string): Promise<void> {
  if (existsSync(`${LINKS}/${name}`)) await runCommand(ip, ['link', 'del', name]);
}

const addressOf = (link: string) =>
  networkInterfaces()[link]?.find((address) => address.family === 'IPv4')?.cidr ?? undefined;

/** A bridge without ports whose owner's data directory is gone was left by an agent that will not come back. */
const isAbandoned = (name: string) => {
  const owner = readLink(name, 'ifalias');
  return !!owner && !existsSync(owner) && portsOf(name).length === 0;
};

/** How ip tells which line of a batch it could not do. */
const FIRST_FAILED = /Command failed -:1$/m;

/** By sysfs, which costs no process; where that is read-only, by ip. */
async function setAlias(ip: string, link: string, alias: string): Promise<void> {
  try {
    writeFileSync(`${LINKS}/${link}/ifalias`, alias);
  } catch {
    await runCommand(ip, ['link', 'set', 'dev', link, 'alias', alias]);
  }
}

async function createBridge(ip: string, owner: string, wanted: Ipv4Block | undefined): Promise<Bridge> {
  for (const name of candidates()) {
    if (existsSync(`${LINKS}/${name}`)) {
      if (!isAbandoned(name)) continue;
      await runCommand(ip, ['link', 'del', name]).catch(() => undefined);
    }
    const subnet = wanted ?? chooseSubnet(takenBlocks());
    if (subnet === undefined)
      throw new CodedError('NO_SUBNET', 'all of 10.137.0.0/16 is in use on this host; name a free subnet');
    const batch = [
      `link add name ${name} type bridge`,
      `addr add ${gatewayOf(subnet)}/${subnet.prefix} dev ${name}`,
      `link set dev ${name} up`,
    ];
    try {
      await runCommand(ip, ['-batch', '-'], `${batch.join('\n')}\n`);
    } catch (error) {
      const isTaken = existsSync(`${LINKS}/${name}`);
      // Somebody took the name in between.
      if (isTaken && FIRST_FAILED.test(messageOf(error))) continue;
      if (isTaken) await removeLink(ip, name).catch(() => undefined);
      throw error;
    }
    await setAlias(ip, name, owner);
    return { name, subnet };
  }
  throw new CodedError(
    'NO_BRIDGE',
    `${BRIDGE_PREFIX}0 to ${BRIDGE_PREFIX}${MOST_BRIDGES - 1} are all in use; remove one with "ip link del"`,
  );
}

/**
 * Finds the bridge `owner` (the path of its data directory) made before, or makes one. `wanted` is the subnet its pods already
 * have; without it a free /22 is chosen.
 */
export async function openBridge(ip: string, owner: string, wanted?: Ipv4Block): Promise<Bridge> {
  const name = findOwn(owner);
  const cidr = name === undefined ? undefined : addressOf(name);
  const subnet = cidr === undefined ? undefined : parseBlock(cidr);
  if (
    name !== undefined &&
    subnet !== undefined &&
    (wanted === undefined || printBlock(wanted) === printBlock(subnet))
  )
    return { name, subnet };
  if (name !== undefined) await runCommand(ip, ['link', 'del', name]);
  return createBridge(ip, owner, wanted);
}

export const removeBridge = (ip: string, bridge: Bridge): Promise<void> => removeLink(ip, bridge.name);

/**
 * Puts an `eth0` into the network namespace of `pid`, with its other end, named `link`, on the bridge. Resolves with what is
 * still to be done within that namespace, as a batch of `ip`.
 */
export async function attachToBridge(
  ip: string,
  bridge: Bridge,
  pod: { readonly pid: number; readonly link: string; readonly address: string },
): Promise<string> {
  const host = [
    `link add ${pod.link} type veth peer name eth0 netns ${pod.pid}`,
    `link set ${pod.link} master ${bridge.name} up`,
  ];
  await runCommand(ip, ['-batch', '-'], `${host.join('\n')}\n`);
  const within = [
    'link set lo up',
    `addr add ${pod.address}/${bridge.subnet.prefix} dev eth0`,
    'link set eth0 up',
    `route add default via ${gatewayOf(bridge.subnet)}`,
  ];
  return `${within.join('\n')}\n`;
}

/** Removes the host's end, and so both; the kernel does it itself, a little later, when the namespace ends. */
export async function detachFromBridge(ip: string, link: string): Promise<void> {
  if (existsSync(`${LINKS}/${link}`)) await runCommand(ip, ['link', 'del', link]).catch(() => undefined);
}
