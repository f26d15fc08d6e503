import type { Container, PodSpec } from '../../../model/kubernetes.ts';
import type { PodRecord } from '../pod-record.ts';

/** On pods of an indexed Job: which of its parts the pod does. */
export const INDEX_KEY = 'batch.kubernetes.io/job-completion-index';
const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';

/** Undefined for a pod that has none. */
export function indexOf(pod: Pick<PodRecord, 'annotations'>): number | undefined {
  const text = pod.annotations?.[INDEX_KEY];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** `1,3-5,7` as a set. Source: kubernetes/pkg/controller/job/indexed_job_utils.go, parseIndexesFromString */
export function parseIndexes(text = ''): ReadonlySet<number> {
  const all = new Set<number>();
  for (const [first, last] of parseRanges(text))
    for (let index = first; index <= last; index += 1) all.add(index);
  return all;
}

export type IndexRange = readonly [first: number, last: number];

/** The same as ranges, in the order of the text: for many indexes that need not be told apart. */
export const parseRanges = (text = ''): readonly IndexRange[] =>
  text
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return [first!, last!];
    });

/** Source: indexed_job_utils.go, orderedIntervals.String: two neighbours stand apart, three are a range. */
export function printIndexes(indexes: Iterable<number>): string {
  const runs: [first: number, last: number][] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && run[1] + 1 === index) run[1] = index;
    else runs.push([index, index]);
  }
  return runs
    .map(([first, last]) => {
      if (first === last) return String(first);
      return `${first}${first + 1 === last ? ',' : '-'}${last}`;
    })
    .join(',');
}

/** The lowest indexes that are neither done nor under way, so many. Source: firstPendingIndexes */
export function pendingIndexes(
  completions: number,
  busy: ReadonlySet<number>,
  most: number,
): readonly number[] {
  const pending: number[] = [];
  for (let index = 0; index < completions && pending.length < most; index += 1)
    if (!busy.has(index)) pending.push(index);
  return pending;
}

/** The spec of the pod of one index: its hostname, and the variable in each container. */
export function indexedSpec(spec: PodSpec, job: string, index: number): PodSpec {
  const told = (container: Container): Container => ({
    ...container,
    env: [
      ...(container.env ?? []).filter(({ name }) => name !== INDEX_VARIABLE),
      { name: INDEX_VARIABLE, value: String(index) },
    ],
  });
  return {
    ...spec,
    hostname: `${job}-${index}`,
    containers: spec.containers.map(told),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(told) }),
  };
}
