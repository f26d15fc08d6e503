// Source: kubernetes/pkg/controller: deployment/sync.go (scaleReplicaSet), controller_utils.go (createPods, DeletePod),
// statefulset/stateful_pod_control.go, job/job_controller.go, cronjob/cronjob_controllerv2.go
import { afterEach, describe, expect, it } from 'vitest';
import type { ManifestObject } from '../../../src/agent/pod/manifest/manifest-object.ts';
import { withCronJobDefaults, withJobDefaults } from '../../../src/agent/pod/manifest/workload-defaulting.ts';
import type {
  CronJob,
  Deployment,
  Job,
  ReplicaSet,
  StatefulSet,
} from '../../../src/model/kubernetes-workload.ts';
import { container, createStory, deployment, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

/** `Deployment/web ScalingReplicaSet: …`; the letters of a name that are drawn by lot are `*`. */
const told = () =>
  story.workloadEvents.map(({ kind, name, type, reason, message }) => {
    const line = `${kind}/${name} ${type === 'Warning' ? 'Warning ' : ''}${reason}: ${message}`;
    return line
      .replace(/web-[a-z0-9]{5,10}(?![a-z0-9])/g, 'web-*')
      .replace(/(web-\*|load)-[a-z0-9]{5}\b/g, '$1-*');
  });
const template = { spec: { restartPolicy: 'Never' as const, containers: [container('app')] } };
const object = (kind: 'Job' | 'CronJob' | 'StatefulSet', name: string, spec: object) =>
  ({ file: 'shop.yaml', kind, metadata: { name, namespace: 'shop' }, spec }) as ManifestObject;
const job = (spec: Partial<Job['spec']> = {}) =>
  object('Job', 'load', withJobDefaults({ template, ...spec }));

describe('what controllers tell', () => {
  it('a Deployment of its ReplicaSets, these of their pods', async () => {
    story = await createStory();
    await story.apply(deployment(2));
    await story.advance(1);
    expect(told()).toEqual([
      'Deployment/web ScalingReplicaSet: Scaled up replica set web-* from 0 to 2',
      'ReplicaSet/web-* SuccessfulCreate: Created pod: web-*-*',
      'ReplicaSet/web-* SuccessfulCreate: Created pod: web-*-*',
    ]);
    story.workloadEvents.splice(0);
    await story.manager.change(
      { kind: 'Deployment', namespace: 'shop', name: 'web' },
      { verb: 'scale', replicas: 1 },
    );
    await story.advance(60);
    expect(told()).toEqual([
      'Deployment/web ScalingReplicaSet: Scaled down replica set web-* from 2 to 1',
      'ReplicaSet/web-* SuccessfulDelete: Deleted pod: web-*-*',
    ]);
    expect(story.workloadEvents).toMatchObject([
      { kind: 'Deployment', workload: 'web', workloadType: 'deployment', namespace: 'shop' },
      { kind: 'ReplicaSet', workload: 'web', workloadType: 'deployment' },
    ]);
  });

  it('a rollout, as steps of both ReplicaSets', async () => {
    story = await createStory();
    await story.apply(deployment(1));
    await story.advance(1);
    story.workloadEvents.splice(0);
    await story.apply(deployment(1, { containers: [container('app', { args: ['v2'] })] }));
    await story.advance(60);
    expect(told().filter((line) => line.startsWith('Deployment'))).toEqual([
      'Deployment/web ScalingReplicaSet: Scaled up replica set web-* from 0 to 1',
      'Deployment/web ScalingReplicaSet: Scaled down replica set web-* from 1 to 0',
    ]);
  });

  it('nothing again, when the next agent takes over', async () => {
    story = await createStory();
    await story.apply(deployment(2));
    await story.advance(1);
    story.workloadEvents.splice(0);
    await story.sigkill(5);
    await story.advance(60);
    expect(told()).toEqual([]);
  });

  it('a StatefulSet in its own words', async () => {
    story = await createStory();
    const spec: Partial<StatefulSet['spec']> = {
      replicas: 1,
      selector: { matchLabels: { app: 'db' } },
      template: { metadata: { labels: { app: 'db' } }, spec: { containers: [container()] } },
    };
    await story.apply(object('StatefulSet', 'db', spec));
    await story.advance(1);
    await story.manager.change(
      { kind: 'StatefulSet', namespace: 'shop', name: 'db' },
      { verb: 'scale', replicas: 0 },
    );
    await story.advance(60);
    expect(told()).toEqual([
      'StatefulSet/db SuccessfulCreate: create Pod db-0 in StatefulSet db successful',
      'StatefulSet/db SuccessfulDelete: delete Pod db-0 in StatefulSet db successful',
    ]);
  });

  it('a Job of its pods and its end', async () => {
    story = await createStory({ lives: { app: () => ({ runsMs: 1000 }) } });
    await story.apply(job());
    await story.advance(5);
    expect(told()).toEqual([
      'Job/load SuccessfulCreate: Created pod: load-*',
      'Job/load Completed: Job completed',
    ]);
  });

  it('a Job that fails, and why', async () => {
    story = await createStory({ lives: { app: () => ({ runsMs: 1000, exitCode: 1 }) } });
    await story.apply(job({ backoffLimit: 0 }));
    await story.advance(5);
    expect(told().at(-1)).toBe(
      'Job/load Warning BackoffLimitExceeded: Job has reached the specified backoff limit',
    );
    await story.end();
    story = await createStory();
    await story.apply(job({ activeDeadlineSeconds: 10 }));
    await story.advance(60);
    expect(told().slice(1)).toEqual([
      'Job/load SuccessfulDelete: Deleted pod: load-*',
      'Job/load Warning DeadlineExceeded: Job was active longer than specified deadline',
    ]);
  });

  it('a CronJob of its Jobs, from the first to the forgotten', async () => {
    story = await createStory({ lives: { app: () => ({ runsMs: 70_000 }) } });
    const spec: CronJob['spec'] = withCronJobDefaults({
      schedule: '* * * * *',
      concurrencyPolicy: 'Forbid',
      successfulJobsHistoryLimit: 0,
      jobTemplate: { spec: withJobDefaults({ template }) },
    } as CronJob['spec']);
    await story.apply(object('CronJob', 'load', spec));
    await story.advance(60 + 75);
    const own = told().filter((line) => line.startsWith('CronJob'));
    const name = /Created job (load-\d+)$/.exec(own[0]!)?.[1];
    expect(own).toEqual(
      expect.arrayContaining([
        `CronJob/load SuccessfulCreate: Created job ${name}`,
        'CronJob/load JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid',
        `CronJob/load SawCompletedJob: Saw completed job: ${name}, condition: Complete`,
        `CronJob/load SuccessfulDelete: Deleted job ${name}`,
      ]),
    );
    expect(own.filter((line) => line.includes('SawCompletedJob'))).toHaveLength(1);
  });

  const cron = (spec: Partial<CronJob['spec']>) =>
    object(
      'CronJob',
      'load',
      withCronJobDefaults({
        schedule: '0 * * * *',
        jobTemplate: { spec: withJobDefaults({ template }) },
        ...spec,
      } as CronJob['spec']),
    );
  const warnings = () => told().filter((line) => line.includes('Warning'));

  it('a CronJob of a time that passed beyond its deadline, once', async () => {
    story = await createStory({ lives: { app: () => ({ runsMs: 1000 }) } });
    await story.apply(cron({ startingDeadlineSeconds: 60 }));
    const hour = 3600 - ((story.clock.now() / 1000) % 3600);
    await story.sigkill(hour + 300);
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^CronJob\/load Warning MissSchedule: Missed scheduled time to start a job: \w{3}, \d\d \w{3} \d{4} \d\d:00:00 \+0000$/,
      ),
    ]);
    await story.sigkill(60);
    await story.apply(cron({ startingDeadlineSeconds: 61 }));
    await story.advance(30);
    expect(warnings()).toHaveLength(1);
    await story.advance(3600);
    expect(told().filter((line) => line.includes('Created job'))).toHaveLength(1);
    expect(warnings()).toHaveLength(1);
  });

  it('a CronJob of more times that passed than it counts, and starts the last all the same', async () => {
    story = await createStory({ lives: { app: () => ({ runsMs: 1000 }) } });
    await story.apply(cron({ schedule: '* * * * *' }));
    await story.sigkill(90 * 60);
    await story.advance(1);
    expect(warnings()).toEqual([]);
    await story.sigkill(120 * 60);
    await story.advance(1);
    expect(warnings()).toEqual([
      'CronJob/load Warning TooManyMissedTimes: too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    ]);
    expect(told().filter((line) => line.includes('Created job'))).toHaveLength(2);
  });

  it('a Deployment of what came of taking it back', async () => {
    story = await createStory();
    const undo = (toRevision?: number) =>
      story.manager.change(
        { kind: 'Deployment', namespace: 'shop', name: 'web' },
        { verb: 'undo', ...(toRevision === undefined ? {} : { toRevision }) },
      );
    const rollbacks = () => told().filter((line) => line.includes('Rollback'));
    await story.apply(deployment(1));
    await story.advance(10);
    await expect(undo()).rejects.toMatchObject({ code: 'NO_REVISION' });
    await story.apply(deployment(1, { containers: [container('app', { args: ['v2'] })] }));
    await story.advance(10);
    await expect(undo(7)).rejects.toMatchObject({ code: 'NO_REVISION' });
    await undo(2);
    await undo();
    expect(rollbacks()).toEqual([
      'Deployment/web Warning DeploymentRollbackRevisionNotFound: Unable to find last revision.',
      'Deployment/web Warning DeploymentRollbackRevisionNotFound: Unable to find the revision to rollback to.',
      'Deployment/web Warning DeploymentRollbackTemplateUnchanged: The rollback revision contains the same template as current deployment "web"',
      'Deployment/web DeploymentRollback: Rolled back deployment "web" to revision 1',
    ]);
  });
});

// Source: kubernetes/pkg/controller: controller_utils.go (createPods), replicaset/replica_set_utils.go (calculateStatus),
// deployment/progress.go (getReplicaFailures), statefulset/stateful_pod_control.go (recordPodEvent)
describe('a pod that cannot be made', () => {
  const urgent = {
    file: 'shop.yaml',
    kind: 'PriorityClass',
    metadata: { name: 'urgent', namespace: 'default' },
    value: 1000,
  } as ManifestObject;
  const forget = (kind: 'Pod' | 'PriorityClass', namespace: string, name: string) =>
    story.manager.delete({
      kind,
      namespace,
      name,
      gracePeriodSeconds: 0,
      request: { by: 'delete', message: '' },
    });
  const failed = () => story.workloadEvents.filter(({ reason }) => reason === 'FailedCreate');
  const conditionsOf = (kind: 'Deployment' | 'ReplicaSet') =>
    (story.manager.list(kind, 'shop')[0] as Deployment | ReplicaSet).status.conditions;

  it('is told by its ReplicaSet, is a condition of both, and is tried again later and later', async () => {
    story = await createStory();
    await story.apply(urgent, deployment(0, { priorityClassName: 'urgent' }));
    forget('PriorityClass', 'default', 'urgent');
    await story.manager.change(
      { kind: 'Deployment', namespace: 'shop', name: 'web' },
      { verb: 'scale', replicas: 2 },
    );
    await story.advance(20);
    expect(failed()[0]).toMatchObject({
      kind: 'ReplicaSet',
      type: 'Warning',
      message: expect.stringMatching(
        /^Error creating: pods "web-[a-z0-9]+-" is forbidden: no PriorityClass with name urgent was found$/,
      ),
    });
    expect(failed().map(({ at }) => (at - failed()[0]!.at) / 1000)).toEqual([0, 1, 3, 7, 15]);
    const condition = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' };
    expect(conditionsOf('ReplicaSet')).toMatchObject([condition]);
    expect(conditionsOf('Deployment')).toMatchObject([
      { type: 'Available' },
      { type: 'Progressing' },
      { ...condition, message: expect.stringContaining('no PriorityClass') },
    ]);

    await story.apply(urgent);
    await story.advance(1);
    expect(conditionsOf('ReplicaSet')).toBeUndefined();
    expect(conditionsOf('Deployment')?.map(({ type }) => type)).toEqual(['Available', 'Progressing']);
    expect(story.manager.list('Pod', 'shop')).toHaveLength(2);
    expect(story.manager.list('Pod', 'shop')).toMatchObject([{ spec: { priority: 1000 } }, {}]);
  });

  it('holds a StatefulSet up for as long as somebody else has its name', async () => {
    story = await createStory();
    await story.apply(pod({}, 'db-0'));
    await story.apply(
      object('StatefulSet', 'db', {
        replicas: 2,
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec: { containers: [container()] } },
      }),
    );
    await story.advance(5);
    expect(told()[0]).toBe(
      'StatefulSet/db Warning FailedCreate: create Pod db-0 in StatefulSet db failed error: pods "db-0" already exists',
    );
    forget('Pod', 'shop', 'db-0');
    await story.advance(70);
    expect(told().slice(-2)).toEqual([
      'StatefulSet/db SuccessfulCreate: create Pod db-0 in StatefulSet db successful',
      'StatefulSet/db SuccessfulCreate: create Pod db-1 in StatefulSet db successful',
    ]);
  });

  it('is a failure of a Job’s creation, not of the Job', async () => {
    story = await createStory({ lives: { app: () => ({ runsMs: 1000, exitCode: 1 }) } });
    await story.apply(urgent, job({ template: { spec: { ...template.spec, priorityClassName: 'urgent' } } }));
    forget('PriorityClass', 'default', 'urgent');
    await story.advance(60);
    expect(failed()[0]).toMatchObject({ kind: 'Job', name: 'load' });
    expect(story.manager.list('Job', 'shop')).toMatchObject([{ status: { active: 0, failed: 1 } }]);
  });
});
