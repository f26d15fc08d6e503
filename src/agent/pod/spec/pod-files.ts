import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Container } from '../../../model/kubernetes.ts';
import type { PodRecord } from '../pod-record.ts';
import type { Mount } from '../runtime/runtime.ts';
import type { NodeFacts } from './field-ref.ts';
import { composeHostsFile, type HostEntry, writeHostsFile } from './hosts-file.ts';
import { composeResolverFile } from './resolver-file.ts';

const DEFAULT_MESSAGE_PATH = '/dev/termination-log';
// Source: kubernetes/pkg/kubelet/container/runtime.go, MaxContainerTerminationMessageLength and its log limits
const LONGEST_MESSAGE = 4096;
const MOST_LOG_BYTES = 2048;
export const MOST_LOG_LINES = 80;

/** Files the agent keeps of a pod beside its volumes, and mounts into its containers. */
const folderOf = (podDirectory: string) => join(podDirectory, 'files');

export const podFilesFolder = folderOf;

/** Source: kubernetes/pkg/kubelet/kubelet_pods.go, GeneratePodHostNameAndDomain */
export const hostnameOf = (pod: PodRecord, node: NodeFacts) =>
  pod.spec.hostNetwork ? node.name : (pod.spec.hostname ?? pod.ref.name).slice(0, 63).replace(/[-.]+$/, '');

const readHostFile = (path: string) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Writes the pod's /etc/hosts anew, with the names of Services there are now. */
export function writePodHosts(
  pod: PodRecord,
  podDirectory: string,
  node: NodeFacts,
  services: readonly HostEntry[] = [],
): void {
  const { subdomain, hostNetwork, hostAliases } = pod.spec;
  const text = composeHostsFile({
    hostname: hostnameOf(pod, node),
    ...(subdomain === undefined ? {} : { domain: `${subdomain}.${pod.ref.namespace}.svc.cluster.local` }),
    ...(pod.sandbox?.ip === undefined ? {} : { ip: pod.sandbox.ip }),
    ...(hostNetwork ? { hostFile: readHostFile('/etc/hosts') } : {}),
    ...(hostAliases === undefined ? {} : { aliases: hostAliases }),
    services,
  });
  writeHostsFile(join(folderOf(podDirectory), 'hosts'), text);
}

/** Writes the files all containers of a pod share. */
export function writePodFiles(
  pod: PodRecord,
  podDirectory: string,
  node: NodeFacts,
  services: readonly HostEntry[] = [],
): void {
  writePodHosts(pod, podDirectory, node, services);
  const resolver = composeResolverFile(pod.spec, readHostFile('/etc/resolv.conf'));
  writeFileSync(join(folderOf(podDirectory), 'resolv.conf'), resolver, { mode: 0o644 });
}

const messageFile = (podDirectory: string, container: string) =>
  join(folderOf(podDirectory), `${container}.message`);

/** Makes the file a life writes its last words to. */
export function makeMessageFile(podDirectory: string, container: string): void {
  mkdirSync(folderOf(podDirectory), { recursive: true });
  const path = messageFile(podDirectory, container);
  // A new file: the one before may still be mounted somewhere.
  rmSync(path, { force: true });
  writeFileSync(path, '');
  chmodSync(path, 0o666);
}

/** What a container sees of these files, unless a volume lies there. */
export function podFileMounts(
  container: Container,
  podDirectory: string,
  volumes: readonly Mount[],
): readonly Mount[] {
  const folder = folderOf(podDirectory);
  const mounts: readonly Mount[] = [
    { source: join(folder, 'hosts'), target: '/etc/hosts', readOnly: false },
    { source: join(folder, 'resolv.conf'), target: '/etc/resolv.conf', readOnly: false },
    {
      source: messageFile(podDirectory, container.name),
      target: container.terminationMessagePath ?? DEFAULT_MESSAGE_PATH,
      readOnly: false,
    },
  ];
  return mounts.filter(({ target }) => !volumes.some((volume) => volume.target === target));
}

/** What a life left in its file, its end cut, and the file with it; empty where there is none. */
export function takeMessage(podDirectory: string, container: string): string {
  const path = messageFile(podDirectory, container);
  try {
    const fd = openSync(path, 'r');
    try {
      const kept = Buffer.alloc(LONGEST_MESSAGE);
      return kept.subarray(0, readSync(fd, kept, 0, LONGEST_MESSAGE, 0)).toString();
    } finally {
      closeSync(fd);
      rmSync(path, { force: true });
    }
  } catch {
    return '';
  }
}

/** The last lines of a log as a message. Source: kuberuntime_container.go, readLastStringFromContainerLogs */
export function messageOfLog(lines: readonly string[]): string {
  const text = lines.slice(-MOST_LOG_LINES).map((line) => `${line}\n`);
  return Buffer.from(text.join('')).subarray(-MOST_LOG_BYTES).toString();
}
