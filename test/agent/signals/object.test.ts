// Source: kube-state-metrics docs/metrics/workload and docs/metrics/service, internal/store/job.go
import { describe, expect, it } from 'vitest';
import { objectPoints } from '../../../src/agent/signals/object.ts';
import type { KubernetesObject } from '../../../src/model/kubernetes-object.ts';
import type { Endpoints, Service } from '../../../src/model/kubernetes-service.ts';
import type { CronJob, Deployment, Job, StatefulSet } from '../../../src/model/kubernetes-workload.ts';
import { toSeriesLabels } from '../../../src/wire/catalogue/series.ts';
import { cartWorkload } from './views.ts';

const CREATED = '2026-01-01T12:00:00Z';
const metadata = { name: 'load', namespace: 'shop', uid: 'o11', creationTimestamp: CREATED };
const template = { spec: { containers: [] } };

/** `name{label="value",…} value`, namespace left out. */
function show(object: KubernetesObject, name: RegExp): string[] {
  return objectPoints(object)
    .filter(({ signal }) => name.test(signal.name))
    .map((point) => {
      const labels = toSeriesLabels(point.signal, point.labels, { job: '', instance: '' }, { suffix: '' });
      const shown = labels.filter(([label]) => !['__name__', 'job', 'instance', 'namespace'].includes(label));
      const text = shown.map(([label, value]) => `${label}="${value}"`).join(',');
      return `${point.signal.name}{${text}} ${'value' in point ? point.value : '?'}`;
    });
}

describe('a Job', () => {
  const job = (status: Partial<Job['status']>): Job => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...metadata,
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: 'c11', controller: true },
      ],
    },
    spec: { template, parallelism: 2 },
    status: { active: 1, ready: 0, terminating: 0, succeeded: 0, failed: 0, ...status },
  });
  const condition = (type: string, reason: string) => ({
    type,
    status: 'True' as const,
    reason,
    lastTransitionTime: CREATED,
  });

  it('that runs has no condition yet, and says 0 failures without a reason', () => {
    expect(show(job({}), /failed|complete|completions/)).toEqual([
      'kube_job_status_failed{job_name="load"} 0',
    ]);
  });
  it('that failed says for what', () => {
    const failed = job({ failed: 3, conditions: [condition('Failed', 'BackoffLimitExceeded')] });
    expect(show(failed, /failed/)).toEqual([
      'kube_job_status_failed{job_name="load",reason="BackoffLimitExceeded"} 1',
      'kube_job_status_failed{job_name="load",reason="DeadlineExceeded"} 0',
      'kube_job_status_failed{job_name="load",reason="Evicted"} 0',
      'kube_job_failed{condition="true",job_name="load"} 1',
      'kube_job_failed{condition="false",job_name="load"} 0',
      'kube_job_failed{condition="unknown",job_name="load"} 0',
    ]);
  });
  it('names its owner', () => {
    expect(show(job({}), /owner/)).toEqual([
      'kube_job_owner{job_name="load",owner_is_controller="true",owner_kind="CronJob",owner_name="nightly"} 1',
    ]);
  });
});

// Source: kube-state-metrics internal/store/statefulset.go
it('a StatefulSet says what becomes of its claims', () => {
  const set = (policy?: StatefulSet['spec']['persistentVolumeClaimRetentionPolicy']) =>
    ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: {
        replicas: 1,
        selector: {},
        template,
        ...(policy && { persistentVolumeClaimRetentionPolicy: policy }),
      },
      status: {},
    }) as unknown as StatefulSet;
  const name = 'kube_statefulset_persistentvolumeclaim_retention_policy';
  expect(show(set({ whenScaled: 'Delete' }), /retention/)).toEqual([
    `${name}{statefulset="load",when_deleted="Retain",when_scaled="Delete"} 1`,
  ]);
  expect(show(set(), /retention/)).toEqual([
    `${name}{statefulset="load",when_deleted="Retain",when_scaled="Retain"} 1`,
  ]);
});

it('a CronJob says when it is due next', () => {
  const cronJob: CronJob = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata,
    spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template } } },
    status: {},
  };
  const due = Date.parse('2026-01-02T03:00:00Z') / 1000;
  expect(show(cronJob, /next|info/)).toEqual([
    `kube_cronjob_next_schedule_time{cronjob="load"} ${due}`,
    'kube_cronjob_info{concurrency_policy="Allow",cronjob="load",schedule="0 3 * * *",timezone="local"} 1',
  ]);
});

it('a Deployment says how its rollout gets on', () => {
  const deployment = cartWorkload.object as Deployment;
  const conditions = [
    {
      type: 'Progressing',
      status: 'False' as const,
      reason: 'ProgressDeadlineExceeded',
      lastTransitionTime: CREATED,
    },
  ];
  const late = { ...deployment, status: { ...deployment.status, conditions } };
  const own = 'condition="Progressing",deployment="cart",reason="ProgressDeadlineExceeded"';
  expect(show(late, /condition/)).toEqual([
    `kube_deployment_status_condition{${own},status="true"} 0`,
    `kube_deployment_status_condition{${own},status="false"} 1`,
    `kube_deployment_status_condition{${own},status="unknown"} 0`,
  ]);
});

it('a Service and its endpoints', () => {
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { type: 'ClusterIP', selector: { app: 'cart' } },
    status: { loadBalancer: {} },
  };
  const address = (ip: string) => ({
    ip,
    nodeName: 'n',
    targetRef: { kind: 'Pod' as const, namespace: 'shop', name: 'p', uid: 'u' },
  });
  const endpoints: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata,
    subsets: [{ addresses: [address('10.0.0.2')], notReadyAddresses: [address('10.0.0.3')] }],
  };
  expect(show(service, /info|type/)).toEqual([
    'kube_service_info{cluster_ip="None",service="load",uid="o11"} 1',
    'kube_service_spec_type{service="load",type="ClusterIP",uid="o11"} 1',
  ]);
  expect(show(endpoints, /address/)).toEqual([
    'kube_endpoint_address{endpoint="load",ip="10.0.0.2",ready="true"} 1',
    'kube_endpoint_address{endpoint="load",ip="10.0.0.3",ready="false"} 1',
  ]);
});
