import { CodedError } from '../../util/coded-error.ts';
import type { ManifestObject } from './manifest/manifest-object.ts';
import { placed } from './new-pod.ts';
import type { PodRecord } from './pod-record.ts';
import { canonicalJson } from './workload/pod-names.ts';

/**
 * Refuses to apply over a pod what a pod cannot change: all of its spec. Labels and annotations may change.
 *
 * @throws CodedError `POD_IMMUTABLE` with the first field that differs, `POD_TERMINATING`.
 * Source: kubernetes/pkg/apis/core/validation/validation.go, ValidatePodUpdate
 */
export function checkPodUpdate(
  pod: PodRecord,
  asked: Extract<ManifestObject, { kind: 'Pod' }>,
  folder: string | undefined,
): void {
  const { namespace, name } = pod.ref;
  if (pod.deletion) {
    throw new CodedError(
      'POD_TERMINATING',
      `${asked.file}: pod ${namespace}/${name} is being deleted; apply it again when it is gone`,
      {
        status: 409,
      },
    );
  }
  if (pod.ref.workloadType !== 'barepod') {
    throw new CodedError(
      'POD_OWNED',
      `${asked.file}: pod ${namespace}/${name} belongs to ${pod.ref.workloadType} ${pod.ref.workload}; change that instead`,
      {
        status: 409,
      },
    );
  }
  const path =
    firstDifference(placed(pod.spec, pod.ref.node), placed(asked.spec, pod.ref.node), 'spec') ??
    (pod.folder === folder ? undefined : 'folder of the manifest');
  if (path === undefined) return;
  throw new CodedError(
    'POD_IMMUTABLE',
    `${asked.file}: the Pod "${name}" is invalid: ${path}: Forbidden: a pod cannot change once it is made, but for labels and annotations. ` +
      `Delete it first: podvitals delete pod ${name} -n ${namespace}`,
    { status: 422 },
  );
}

/** The path of the first field in which two values differ, in the order of names; undefined when they are equal. */
export function firstDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (canonicalJson(a) === canonicalJson(b)) return undefined;
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    return a
      .map((item, index) => firstDifference(item, b[index], `${path}[${index}]`))
      .find((found) => found);
  }
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    value !== null && typeof value === 'object' && !Array.isArray(value);
  if (!isRecord(a) || !isRecord(b)) return path;
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names.map((name) => firstDifference(a[name], b[name], `${path}.${name}`)).find((found) => found);
}
