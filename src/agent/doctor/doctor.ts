import { lookForCgroupParent } from '../host/cgroup-parent.ts';
import { decideDelegation, readDelegationFacts } from '../host/delegation.ts';
import { findTools } from '../host/tool.ts';
import { canMakeNamespaces, describeEnforcement, findRootMode } from '../pod/runtime/process/capability.ts';
import type { Enforcement } from '../pod/runtime/runtime.ts';
import { checkDataFolder, nearestFolder } from './data-folder.ts';
import type { Finding } from './finding.ts';
import {
  checkCgroups,
  checkInotify,
  checkKernelLog,
  checkNamespaces,
  checkNode,
  checkPlatform,
  checkPressure,
  checkSignalTrace,
} from './kernel.ts';
import { checkPorts, type WantedPort } from './ports.ts';
import { checkTools } from './tools.ts';

export interface Diagnosis {
  /** What pods get on this host, as the agent would say it at its start. */
  readonly enforcement: Enforcement;
  readonly findings: readonly Finding[];
}

/** Looks at the host as an agent would use it, and leaves it as it is. */
export async function examineHost(options: {
  readonly dataDir: string;
  readonly ports: readonly WantedPort[];
}): Promise<Diagnosis> {
  const tools = findTools();
  const uid = process.getuid?.();
  const namespaces = await canMakeNamespaces(tools);
  const folder = checkDataFolder(options.dataDir);
  const writable = folder.every(({ status }) => status !== 'error');
  const capabilities = {
    user: uid === 0 ? 'root' : `uid ${uid ?? 'unknown'}`,
    cgroups: { ...lookForCgroupParent(), delegates: [] },
    delegation: decideDelegation(readDelegationFacts(process.env)),
    namespaces,
    root: namespaces && writable ? await findRootMode(tools, nearestFolder(options.dataDir)) : 'shared',
    routed: tools.ip !== undefined && tools.nsenter !== undefined,
    setpriv: tools.setpriv !== undefined,
  } as const;
  return {
    enforcement: describeEnforcement(capabilities),
    findings: [
      checkNode(),
      checkPlatform(),
      checkCgroups(capabilities),
      checkNamespaces(capabilities),
      ...checkTools(tools),
      checkKernelLog(),
      checkSignalTrace(),
      checkPressure(),
      checkInotify(),
      ...folder,
      ...(await checkPorts(options.ports)),
    ],
  };
}
