import type { Job } from '../../../model/kubernetes-workload.ts';

const has = (status: Job['status'], types: readonly string[]) =>
  status.conditions?.find((condition) => types.includes(condition.type) && condition.status === 'True');

/** The condition with which a Job is over. Source: kubernetes/pkg/controller/job/utils.go, IsJobFinished */
export const finishedBy = (status: Job['status']) => has(status, ['Complete', 'Failed']);

export const isFinished = (status: Job['status']) => finishedBy(status) !== undefined;
