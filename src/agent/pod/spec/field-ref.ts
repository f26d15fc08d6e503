import type { Container, PodSpec } from '../../../model/kubernetes.ts';
import type { PodRecord } from '../pod-record.ts';
import { parseQuantity } from './quantity.ts';

/** What the downward API can tell beside the pod itself. */
export interface NodeFacts {
  readonly name: string;
  readonly ip: string;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  /** Of the file system below the data directory. */
  readonly diskBytes: number;
}

const FIELDS: Readonly<Record<string, (pod: PodRecord, node: NodeFacts) => string | undefined>> = {
  'metadata.name': (pod) => pod.ref.name,
  'metadata.namespace': (pod) => pod.ref.namespace,
  'metadata.uid': (pod) => pod.ref.uid,
  'spec.nodeName': (_pod, node) => node.name,
  'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? 'default',
  'status.hostIP': (_pod, node) => node.ip,
  'status.hostIPs': (_pod, node) => node.ip,
  'status.podIP': (pod, node) => pod.podIp ?? node.ip,
  'status.podIPs': (pod, node) => pod.podIp ?? node.ip,
};

const KEYED = /^metadata\.(labels|annotations)\['([^']+)'\]$/;

/** Whether a `fieldRef.fieldPath` is one that environment variables may use. */
export const isFieldPath = (path: string) => Object.hasOwn(FIELDS, path) || KEYED.test(path);

export const FIELD_PATHS = [...Object.keys(FIELDS), "metadata.labels['KEY']", "metadata.annotations['KEY']"];

/** Of these a volume may also show all, a line each. Source: kubernetes/pkg/fieldpath/fieldpath.go, FormatMap */
const WHOLE = /^metadata\.(labels|annotations)$/;

const VOLUME_FIELDS = ['metadata.name', 'metadata.namespace', 'metadata.uid'];

export const VOLUME_FIELD_PATHS = [
  ...VOLUME_FIELDS,
  'metadata.labels',
  'metadata.annotations',
  "metadata.labels['KEY']",
  "metadata.annotations['KEY']",
];

/** Whether a `fieldRef.fieldPath` is one that files of a volume may use. */
export const isVolumeFieldPath = (path: string) =>
  VOLUME_FIELDS.includes(path) || WHOLE.test(path) || KEYED.test(path);

/** As `fieldValue`, for a file. */
export function volumeFieldValue(path: string, pod: PodRecord, node: NodeFacts): string {
  const whole = WHOLE.exec(path);
  if (!whole) return fieldValue(path, pod, node);
  const entries = (whole[1] === 'labels' ? pod.labels : pod.annotations) ?? {};
  return Object.keys(entries)
    .sort()
    .map((key) => `${key}=${JSON.stringify(entries[key])}`)
    .join('\n');
}

/** The value of a `fieldRef`; a missing label is the empty string. */
export function fieldValue(path: string, pod: PodRecord, node: NodeFacts): string {
  const keyed = KEYED.exec(path);
  if (!keyed) return FIELDS[path]?.(pod, node) ?? '';
  const entries = (keyed[1] === 'labels' ? pod.labels : pod.annotations) ?? {};
  return Object.hasOwn(entries, keyed[2]!) ? entries[keyed[2]!]! : '';
}

export const RESOURCE_FIELDS = ['limits', 'requests'].flatMap((section) =>
  ['cpu', 'memory', 'ephemeral-storage'].map((resource) => `${section}.${resource}`),
);

/**
 * The value of a `resourceFieldRef`: cores or bytes divided by the divisor (1 when left out), rounded up. A limit
 * that is not set is what the node has; a request that is not set is the limit, else 0.
 * Source: kubernetes/pkg/api/v1/resource/helpers.go, ExtractContainerResourceValue
 */
export function resourceValue(
  ref: { readonly resource: string; readonly containerName?: string; readonly divisor?: string },
  spec: PodSpec,
  container: Container,
  node: NodeFacts,
): string {
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  const wholes = { cpu: node.cpuCores, memory: node.memoryBytes, 'ephemeral-storage': node.diskBytes };
  const { resources } = all.find((other) => other.name === ref.containerName) ?? container;
  const [section, resource] = ref.resource.split('.') as ['limits' | 'requests', keyof typeof wholes];
  const written = resources?.[section]?.[resource];
  const value =
    written === undefined ? (section === 'limits' ? wholes[resource] : 0) : (parseQuantity(written) ?? 0);
  const divisor = parseQuantity(ref.divisor ?? '1') || 1;
  return String(Math.ceil(Number((value / divisor).toFixed(9))));
}
