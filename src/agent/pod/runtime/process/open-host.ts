import { mkdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../../../../util/clock.ts';
import { CodedError } from '../../../../util/coded-error.ts';
import { openCgroupParent } from '../../../host/cgroup-parent.ts';
import { decideDelegation, readDelegationFacts } from '../../../host/delegation.ts';
import { type Ipv4Block, parseBlock } from '../../../host/network-subnet.ts';
import { findTools, needTool } from '../../../host/tool.ts';
import { canMakeNamespaces, closingWords, findRootMode } from './capability.ts';
import type { ProcessHost } from './host.ts';
import { createLayout, macOf } from './layout.ts';
import { createPodNetwork, noPodNetwork, type PodNetwork } from './pod-network.ts';
import { createServiceRelays, type ServiceRelays } from './service-relays.ts';

export interface ProcessRuntimeOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger?: Pick<Logger, 'warn'>;
  /** The Node that pods find first on PATH; default: the one that runs this. */
  readonly nodePath?: string;
  /** Folder of our own at the top of each cgroup hierarchy. */
  readonly cgroupParent?: string;
  /** IPv4 subnet for pods, `10.9.8.0/24`; default: a free /22 of 10.137.0.0/16. */
  readonly subnet?: string;
}

function parseSubnet(text: string | undefined): Ipv4Block | undefined {
  if (text === undefined) return undefined;
  const block = parseBlock(text);
  if (block === undefined || block.prefix < 16 || block.prefix > 29) {
    throw new CodedError(
      'SUBNET_INVALID',
      `pod subnet "${text}" is not an IPv4 block from /16 to /29, such as 10.9.8.0/24`,
    );
  }
  return block;
}

/** Finds what this host offers. @throws TOOL_MISSING. */
export async function openHost(options: ProcessRuntimeOptions): Promise<ProcessHost> {
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const tools = findTools();
  needTool(tools, 'sh');
  const namespaces = await canMakeNamespaces(tools);
  // Before the cgroup is opened: that changes what is found.
  const delegation = decideDelegation(readDelegationFacts(process.env));
  const cgroupParent = options.cgroupParent ?? 'podvitals';
  return {
    clock: options.clock,
    layout: createLayout(dataDir),
    dataDir,
    tools,
    cgroups: openCgroupParent(cgroupParent),
    reopenCgroups: () => void openCgroupParent(cgroupParent),
    delegation,
    namespaces,
    root: namespaces ? await findRootMode(tools, dataDir) : 'shared',
    nodeFolder: dirname(realpathSync(options.nodePath ?? process.execPath)),
    closing: closingWords(tools),
  };
}

/** @throws SUBNET_INVALID. */
export function openNetwork(host: ProcessHost, asked: string | undefined): PodNetwork {
  const subnet = parseSubnet(asked);
  const { ip } = host.tools;
  if (!host.namespaces || ip === undefined) return noPodNetwork;
  return createPodNetwork({
    ip,
    dataDir: host.dataDir,
    ...(subnet === undefined ? {} : { subnet }),
  });
}

export function openServiceRelays(host: ProcessHost, network: PodNetwork): ServiceRelays {
  const { ip, nsenter, unshare, sh } = host.tools;
  const tools = ip && nsenter && unshare && sh ? { ip, nsenter, unshare, sh } : undefined;
  return createServiceRelays({ network, tools, mac: macOf(host.dataDir), clock: host.clock });
}
