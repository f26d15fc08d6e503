import type { Job } from '../../../model/kubernetes-workload.ts';
import type { Stored } from '../object-store.ts';
import { earliest } from './availability.ts';
import type { Reconcile } from './control-loop.ts';
import type { ControllerContext } from './controller.ts';
import { decideJob, type JobDecision, NO_LEDGER } from './job.ts';
import { INDEX_KEY, indexedSpec } from './job-index.ts';
import { INDEX_FAILURES_KEY } from './job-index-back-off.ts';
import { canonicalJson, podName } from './pod-names.ts';
import { normal, type WorkloadWords, warning } from './workload-event.ts';

/** Looks after Jobs: pods that are to end well, so many times. */
export function createJobController(context: ControllerContext): Reconcile {
  const { objects, clock, random } = context;

  function create(job: Stored<'Job'>, index?: number): void {
    const { namespace, name, uid } = job.metadata;
    const { metadata, spec } = job.spec.template;
    const own = index === undefined ? undefined : { [INDEX_KEY]: String(index) };
    const before = objects.get('Job', namespace, name)?.ledger?.indexFailures?.[index ?? -1];
    const failures =
      job.spec.backoffLimitPerIndex === undefined
        ? {}
        : { [INDEX_FAILURES_KEY]: String(before?.failures ?? 0) };
    const annotations = own ? { ...metadata?.annotations, ...own, ...failures } : metadata?.annotations;
    context.createPod({
      owner: job,
      spec: index === undefined ? spec : indexedSpec(spec, name, index),
      metadata: {
        name: podName(index === undefined ? name : `${name}-${index}`, random),
        namespace,
        labels: {
          ...metadata?.labels,
          'batch.kubernetes.io/controller-uid': uid,
          'batch.kubernetes.io/job-name': name,
          'controller-uid': uid,
          'job-name': name,
          ...own,
        },
        ...(annotations && { annotations }),
      },
    });
  }

  /** Who asks for the end of a pod: what the Job gives up by itself is no failure of it. */
  function request(job: Stored<'Job'>, { why, status }: JobDecision) {
    const { name } = job.metadata;
    if (why === 'failed') {
      const failure = status.conditions?.find(({ type }) => type === 'FailureTarget');
      const by = failure?.reason === 'DeadlineExceeded' ? 'deadline' : 'pod-failed';
      return { by, message: `Job ${name} failed: ${failure?.message ?? failure?.reason}` } as const;
    }
    const success = status.conditions?.find(({ type }) => type === 'SuccessCriteriaMet');
    if (why === 'complete' && success?.reason === 'SuccessPolicy') {
      const message = `Job ${name} has succeeded by its successPolicy: ${success.message}`;
      return { by: 'rollout', message } as const;
    }
    const words = { surplus: 'wants fewer pods', suspended: 'is suspended', complete: 'is complete' };
    return { by: 'rollout', message: `Job ${name} ${words[why]}` } as const;
  }

  return (namespace, name) => {
    const job = objects.get('Job', namespace, name);
    if (!job) return undefined;
    const decision = decideJob(job, job.ledger ?? NO_LEDGER, context.podsOf(job.metadata.uid), clock.now());
    if (decision.expired) {
      context.deleteObject(job, { by: 'delete', message: `Job ${name} finished long enough ago` });
      return undefined;
    }
    const next = { ...job, status: decision.status, ledger: decision.ledger };
    // What is counted must be durable before the pods it counts are forgotten.
    if (canonicalJson(next) !== canonicalJson(job)) void objects.put(next);
    for (const words of jobWords(job.status, decision.status)) context.tell(job, words);
    for (const pod of decision.delete) context.deletePod(pod, request(job, decision));
    if (job.spec.completionMode === 'Indexed') for (const index of decision.indexes) create(job, index);
    else for (let left = decision.create; left > 0; left -= 1) create(job);
    const retryAt = decision.create > 0 ? context.createFailure(job.metadata.uid)?.retryAt : undefined;
    return earliest(decision.wakeAt, retryAt);
  };
}

/** What a Job's new conditions are told as. Source: kubernetes/pkg/controller/job/job_controller.go, trackJobStatus… */
function jobWords(before: Job['status'], after: Job['status']): readonly WorkloadWords[] {
  const known = new Map((before.conditions ?? []).map(({ type, status }) => [type, status]));
  return (after.conditions ?? []).flatMap(({ type, status, reason = '', message = '' }) => {
    if (known.get(type) === status) return [];
    if (type === 'Complete') return [normal('Completed', 'Job completed')];
    if (type === 'Failed') return [warning(reason, message)];
    if (type === 'Suspended')
      return [status === 'True' ? normal('Suspended', 'Job suspended') : normal('Resumed', 'Job resumed')];
    return [];
  });
}
