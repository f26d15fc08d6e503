import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PodSpec } from '../../../model/kubernetes.ts';

/** An address, and the names it is to be found by. */
export interface HostEntry {
  readonly ip: string;
  readonly names: readonly string[];
}

export interface HostsFacts {
  readonly hostname: string;
  /** `<subdomain>.<namespace>.svc.cluster.local`, where the pod has a subdomain. */
  readonly domain?: string;
  /** The pod's address; absent: only the loopback. */
  readonly ip?: string;
  /** The host's own file, for a pod on the host's network. */
  readonly hostFile?: string;
  readonly aliases?: PodSpec['hostAliases'];
  /** Names of Services, in the order they are to be written. */
  readonly services?: readonly HostEntry[];
}

const OWN_ENTRIES = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

const section = (title: string, entries: readonly HostEntry[]) =>
  entries.length === 0
    ? ''
    : `\n# ${title}\n${entries.map(({ ip, names }) => `${[ip, ...names].join('\t')}\n`).join('')}`;

/**
 * A pod's /etc/hosts: its own name, `hostAliases`, and the names of Services.
 * Source: kubernetes/pkg/kubelet/kubelet_pods.go, managedHostsFileContent and nodeHostsFileContent
 */
export function composeHostsFile(facts: HostsFacts): string {
  const { hostname, domain, ip, hostFile, aliases = [], services = [] } = facts;
  const own = domain === undefined ? [hostname] : [`${hostname}.${domain}`, hostname];
  const head =
    hostFile === undefined
      ? `# Kubernetes-managed hosts file.\n${OWN_ENTRIES}${[ip ?? '127.0.0.1', ...own].join('\t')}\n`
      : `# Kubernetes-managed hosts file (host network).\n${hostFile.replace(/\n*$/, '\n')}`;
  const named = aliases.map((alias) => ({ ip: alias.ip, names: alias.hostnames ?? [] }));
  return `${head}${section('Entries added by HostAliases.', named)}${section('Names of Services.', services)}`;
}

/**
 * Writes it in place: the containers have this very file mounted, and another of its name would not be seen. Who reads it
 * meanwhile finds no name gone that stays: what is new is written over what was, blank to its end, and only then cut.
 */
export function writeHostsFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const bytes = Buffer.from(text);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  try {
    const blank = Buffer.alloc(Math.max(0, fstatSync(fd).size - bytes.length), '\n');
    writeSync(fd, Buffer.concat([bytes, blank]), 0, bytes.length + blank.length, 0);
    ftruncateSync(fd, bytes.length);
  } finally {
    closeSync(fd);
  }
}
