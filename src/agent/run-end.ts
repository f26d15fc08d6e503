import type { KubernetesObject } from '../model/kubernetes-object.ts';

/** What goes on for as long as nobody deletes it. */
const ENDLESS: readonly KubernetesObject['kind'][] = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob'];

/**
 * How a run of these objects has ended: whether all of it went well; undefined while something runs, or will. Pods of
 * a Job count by what became of the Job.
 */
export function runEnd(objects: readonly KubernetesObject[]): boolean | undefined {
  if (objects.some(({ kind }) => ENDLESS.includes(kind))) return undefined;
  let went = true;
  for (const object of objects) {
    if (object.kind === 'Job') {
      const ended = object.status?.conditions?.find(
        ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
      );
      if (ended === undefined) return undefined;
      went &&= ended.type === 'Complete';
    } else if (object.kind === 'Pod') {
      if (object.status.phase !== 'Succeeded' && object.status.phase !== 'Failed') return undefined;
      const isJobs = object.metadata.ownerReferences?.some(({ kind }) => kind === 'Job') ?? false;
      went &&= isJobs || object.status.phase === 'Succeeded';
    }
  }
  return went;
}
