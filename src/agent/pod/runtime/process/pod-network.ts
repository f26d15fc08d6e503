import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '../../../../util/coded-error.ts';
import {
  attachToBridge,
  type Bridge,
  detachFromBridge,
  openBridge,
  removeBridge,
} from '../../../host/network.ts';
import { chooseAddress, type Ipv4Block, parseBlock, printBlock } from '../../../host/network-subnet.ts';
import { linkName } from './layout.ts';

/** Addresses for pods. Pods reach each other, the host reaches pods, pods reach the host; nothing beyond. */
export interface PodNetwork {
  /** False: pods have a loopback only. */
  readonly routed: boolean;
  /**
   * Gives the pod an address and, once `inside` tells the process that holds its network namespace, an eth0 in it; what
   * is `within` is left to that process. Undefined where there is no network. After a failure it is to be detached.
   */
  attach(podUid: string, inside: Promise<number>): Promise<Attached | undefined>;
  /** Forgets the pod's address and removes its link; with the last pod the bridge goes too. Unknown: nothing. */
  detach(podUid: string): Promise<void>;
  /** An address that is kept free of pods for `owner`, across agents too; undefined where there is no network. */
  reserve(owner: string): Promise<string | undefined>;
  /** Gives it back. Unknown: nothing. */
  release(owner: string): Promise<void>;
  /** Who has an address reserved. */
  reserved(): readonly string[];
  /** Takes over what an earlier agent gave. */
  adopt(addresses: ReadonlyMap<string, string>): Promise<void>;
}

export interface Attached {
  readonly address: string;
  /** A batch of `ip`, to be run in the pod's network namespace. */
  readonly within: string;
}

export const noPodNetwork: PodNetwork = {
  routed: false,
  attach: async (_, inside) => inside.then(() => undefined),
  detach: async () => undefined,
  reserve: async () => undefined,
  release: async () => undefined,
  reserved: () => [],
  adopt: async () => undefined,
};

export interface PodNetworkOptions {
  readonly ip: string;
  readonly dataDir: string;
  /** Fixed subnet, `10.9.8.0/24`; left out, a free one is chosen. */
  readonly subnet?: Ipv4Block;
}

/** `network.json` */
interface KeptJson {
  readonly subnet: string;
  readonly reserved?: Readonly<Record<string, string>>;
}

interface Kept {
  readonly subnet: Ipv4Block;
  readonly reserved: readonly (readonly [owner: string, address: string])[];
}

export function createPodNetwork(options: PodNetworkOptions): PodNetwork {
  const file = join(options.dataDir, 'network.json');
  const addresses = new Map<string, string>();
  const reserved = new Map<string, string>();
  let last: string | undefined;
  let bridge: Bridge | undefined;
  // One after another: two pods started at once must not make two bridges.
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = queue.then(work, work);
    queue = next.catch(() => undefined);
    return next;
  };

  const remembered = (): Kept | undefined => {
    if (!existsSync(file)) return undefined;
    try {
      const { subnet, reserved: kept = {} } = JSON.parse(readFileSync(file, 'utf8')) as KeptJson;
      const block = parseBlock(subnet);
      return block && { subnet: block, reserved: Object.entries(kept) };
    } catch {
      return undefined;
    }
  };

  const remember = ({ subnet }: Bridge) => {
    mkdirSync(options.dataDir, { recursive: true });
    const kept: KeptJson = { subnet: printBlock(subnet), reserved: Object.fromEntries(reserved) };
    writeFileSync(file, JSON.stringify(kept));
  };

  const ensureBridge = async (wanted: Ipv4Block | undefined): Promise<Bridge> => {
    if (bridge !== undefined) return bridge;
    bridge = await openBridge(options.ip, options.dataDir, wanted);
    remember(bridge);
    return bridge;
  };

  const closeBridge = async () => {
    if (addresses.size + reserved.size > 0 || bridge === undefined) return;
    await removeBridge(options.ip, bridge);
    bridge = undefined;
    rmSync(file, { force: true });
  };

  const freeAddress = ({ subnet }: Bridge) => {
    const used = new Set([...addresses.values(), ...reserved.values()]);
    const address = chooseAddress(subnet, used, last);
    if (address === undefined)
      throw new CodedError(
        'NO_ADDRESS',
        `every address of ${printBlock(subnet)} is in use; remove pods or set a larger subnet`,
      );
    last = address;
    return address;
  };

  return {
    routed: true,
    async attach(podUid, inside) {
      // The bridge is made while the pod's namespaces are; whoever waits for it need not wait for them.
      const reserve = inTurn(async () => {
        const on = await ensureBridge(options.subnet);
        const address = freeAddress(on);
        addresses.set(podUid, address);
        return { on, address };
      });
      const [{ on, address }, pid] = await Promise.all([reserve, inside]);
      const link = linkName(options.dataDir, podUid);
      // The kernel takes its time to remove that of a namespace which has ended.
      await detachFromBridge(options.ip, link);
      return { address, within: await attachToBridge(options.ip, on, { pid, link, address }) };
    },
    detach: (podUid) =>
      inTurn(async () => {
        if (!addresses.delete(podUid)) return;
        await detachFromBridge(options.ip, linkName(options.dataDir, podUid));
        await closeBridge().catch((error: unknown) => {
          throw new CodedError('NETWORK_LEFT', `the bridge could not be removed: ${messageOf(error)}`);
        });
      }),
    reserve: (owner) =>
      inTurn(async () => {
        const known = reserved.get(owner);
        if (known !== undefined) return known;
        const on = await ensureBridge(options.subnet);
        const address = freeAddress(on);
        reserved.set(owner, address);
        remember(on);
        return address;
      }),
    release: (owner) =>
      inTurn(async () => {
        if (!reserved.delete(owner)) return;
        if (bridge !== undefined) remember(bridge);
        await closeBridge();
      }),
    reserved: () => [...reserved.keys()],
    adopt: (given) =>
      inTurn(async () => {
        for (const [podUid, address] of given) addresses.set(podUid, address);
        const wanted = remembered();
        if (wanted === undefined) return;
        for (const [owner, address] of wanted.reserved) reserved.set(owner, address);
        await ensureBridge(wanted.subnet);
        await closeBridge();
      }),
  };
}
