// Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/, .../cron-jobs/ and
// kubernetes/pkg/controller/job/job_controller.go, pkg/controller/cronjob/cronjob_controllerv2.go
import { afterEach, describe, expect, it } from 'vitest';
import type { ManifestObject } from '../../../src/agent/pod/manifest/manifest-object.ts';
import { withCronJobDefaults, withJobDefaults } from '../../../src/agent/pod/manifest/workload-defaulting.ts';
import type { Pod, PodSpec } from '../../../src/model/kubernetes.ts';
import type { CronJob, Job } from '../../../src/model/kubernetes-workload.ts';
import { container, createStory, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

type JobManifest = Extract<ManifestObject, { kind: 'Job' }>;

const template = (pod: Partial<PodSpec> = {}) => ({
  spec: { restartPolicy: 'Never' as const, containers: [container('app')], ...pod },
});
function job(spec: Partial<Job['spec']> = {}, pod: Partial<PodSpec> = {}): JobManifest {
  return {
    file: 'shop.yaml',
    kind: 'Job',
    metadata: { name: 'load', namespace: 'shop' },
    spec: withJobDefaults({ template: template(pod), ...spec }),
  };
}
type Rule = NonNullable<Job['spec']['podFailurePolicy']>['rules'][number];
const pods = () => story.manager.list('Pod', 'shop') as readonly Pod[];
const jobs = () => story.manager.list('Job', 'shop') as readonly Job[];
const load = () => story.manager.get('Job', 'shop', 'load') as Job;
const conditions = () =>
  load().status.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
const at = () =>
  story.transitions.flatMap((one) =>
    one.kind === 'pod-created' ? [Math.round((one.at - start) / 1000)] : [],
  );
let start = 0;
const begin = async (options: Parameters<typeof createStory>[0] = {}) => {
  story = await createStory(options);
  start = story.clock.now();
};

describe('a Job', () => {
  it('is complete when as many pods as it asks for have ended well, so many at a time', async () => {
    await begin({ lives: { app: () => ({ runsMs: 10_000 }) } });
    await story.apply(job({ completions: 5, parallelism: 2 }));
    await story.advance(1);
    expect(load().status).toMatchObject({ active: 2, ready: 2, succeeded: 0 });
    expect(pods()[0]?.metadata).toMatchObject({
      name: expect.stringMatching(/^load-[a-z0-9]{5}$/),
      labels: { 'job-name': 'load', 'batch.kubernetes.io/job-name': 'load' },
    });
    await story.advance(35);
    expect(at()).toEqual([0, 0, 10, 10, 20]);
    expect(load().status).toMatchObject({
      active: 0,
      succeeded: 5,
      failed: 0,
      completionTime: expect.any(String),
    });
    expect(conditions()).toEqual([
      'SuccessCriteriaMet True CompletionsReached',
      'Complete True CompletionsReached',
    ]);
    expect(story.transitions.filter((one) => one.kind === 'container-died' && one.unrequested)).toEqual([]);
    expect(story.manager.views().workloads).toMatchObject([{ name: 'load', type: 'job', desired: 0 }]);
  });

  it('tries a pod that failed again after 10 s, doubling, and fails beyond its backoffLimit', async () => {
    await begin({ lives: { app: () => ({ runsMs: 1000, exitCode: 3 }) } });
    await story.apply(job({ backoffLimit: 2 }));
    await story.advance(60);
    expect(at()).toEqual([0, 11, 32]);
    expect(load().status).toMatchObject({ failed: 3, succeeded: 0, active: 0 });
    expect(conditions()).toEqual([
      'FailureTarget True BackoffLimitExceeded',
      'Failed True BackoffLimitExceeded',
    ]);
    expect(pods()).toHaveLength(3);
    // Its pods' deaths are its own: nobody asked for them.
    expect(story.transitions.filter((one) => one.kind === 'container-died' && one.unrequested)).toHaveLength(
      3,
    );
  });

  it('with restartPolicy OnFailure counts restarts within the pod', async () => {
    await begin({
      lives: { app: () => ({ runsMs: 1000, exitCode: 1 }) },
      backOff: { baseMs: 1000, capMs: 1000, resetAfterMs: 600_000 },
    });
    await story.apply(job({ backoffLimit: 3 }, { restartPolicy: 'OnFailure' }));
    await story.advance(30);
    expect(at()).toEqual([0]);
    expect(conditions()).toEqual([
      'FailureTarget True BackoffLimitExceeded',
      'Failed True BackoffLimitExceeded',
    ]);
  });

  it('fails by its deadline, and ends its pods', async () => {
    await begin({ lives: { app: () => ({ stopMs: 2000 }) } });
    await story.apply(job({ activeDeadlineSeconds: 20 }));
    await story.advance(21);
    expect(conditions()).toEqual(['FailureTarget True DeadlineExceeded']);
    await story.advance(5);
    expect(conditions()).toEqual(['FailureTarget True DeadlineExceeded', 'Failed True DeadlineExceeded']);
    const [death] = story.transitions.filter(({ kind }) => kind === 'container-died');
    expect(death).toMatchObject({ killRequest: { by: 'deadline' }, unrequested: false });
  });

  it('is gone with its pods when its time after the end is over', async () => {
    await begin({ lives: { app: () => ({ runsMs: 1000 }) } });
    await story.apply(job({ ttlSecondsAfterFinished: 30 }));
    await story.advance(25);
    expect(jobs()).toHaveLength(1);
    await story.advance(10);
    expect(jobs()).toEqual([]);
    expect(pods()).toEqual([]);
  });

  it('that is suspended has no pods, and those it gives up are no failures', async () => {
    await begin({ lives: { app: (attempt) => (attempt === 0 ? {} : {}) } });
    await story.apply(job());
    await story.advance(5);
    await story.apply(job({ suspend: true }));
    await story.advance(5);
    expect(pods()).toEqual([]);
    expect(load().status).toMatchObject({ active: 0, failed: 0 });
    expect(load().status.startTime).toBeUndefined();
    expect(conditions()).toEqual(['Suspended True JobSuspended']);
    await story.apply(job({ suspend: false }));
    await story.advance(5);
    expect(pods()).toHaveLength(1);
    expect(conditions()).toEqual(['Suspended False JobResumed']);
  });

  for (const seconds of [0.5, 9.999, 10.001, 10.02, 15, 20.003]) {
    it(`counts every pod once when the agent dies at ${seconds} s`, async () => {
      await begin({ lives: { app: () => ({ runsMs: 10_000 }) }, writeMs: 5 });
      await story.apply(job({ completions: 4, parallelism: 2 }));
      await story.advance(seconds);
      await story.sigkill(3);
      await story.advance(60);
      expect(load().status).toMatchObject({ succeeded: 4, failed: 0, active: 0 });
      expect(pods()).toHaveLength(4);
      expect(conditions()).toContain('Complete True CompletionsReached');
    });
  }

  it('counts a pod that was deleted while the agent died as one failure', async () => {
    await begin({ lives: { app: () => ({ stopMs: 1000, runsMs: 100_000 }) }, writeMs: 5 });
    await story.apply(job());
    await story.advance(5);
    const { name } = pods()[0]!.metadata;
    story.manager.delete({ kind: 'Pod', namespace: 'shop', name, request: { by: 'user', message: '' } });
    await story.advance(0.5);
    await story.sigkill(1);
    await story.advance(20);
    expect(load().status).toMatchObject({ failed: 1, active: 1 });
  });
});

describe('a CronJob', () => {
  const cron = (spec: Partial<CronJob['spec']> = {}): Extract<ManifestObject, { kind: 'CronJob' }> => ({
    file: 'shop.yaml',
    kind: 'CronJob',
    metadata: { name: 'tidy', namespace: 'shop' },
    spec: withCronJobDefaults({
      schedule: '*/5 * * * *',
      jobTemplate: { spec: { template: template() } },
      ...spec,
    }),
  });
  const tidy = () => story.manager.get('CronJob', 'shop', 'tidy') as CronJob;
  const minutes = () => jobs().map(({ metadata }) => Number(metadata.name.slice('tidy-'.length)) % 60);

  it('makes a Job at each due time, and keeps the last three that ended well', async () => {
    await begin({ lives: { app: () => ({ runsMs: 1000 }) } });
    await story.apply(cron());
    await story.advance(5 * 60 * 5 + 1);
    expect(jobs()).toHaveLength(3);
    expect(minutes().every((minute) => minute % 5 === 0)).toBe(true);
    expect(jobs()[0]?.metadata.ownerReferences).toMatchObject([{ kind: 'CronJob', name: 'tidy' }]);
    expect(tidy().status.lastSuccessfulTime).toBeDefined();
    expect(new Date(tidy().status.lastScheduleTime!).getUTCMinutes() % 5).toBe(0);
    // Its runs are one workload, whose counts go on from one to the next.
    expect(story.manager.views().workloads).toMatchObject([{ name: 'tidy', type: 'cronjob', desired: 0 }]);
  });

  it('that forbids concurrency skips times while a Job runs', async () => {
    await begin({ lives: { app: () => ({ runsMs: 420_000 }) } });
    await story.apply(cron({ concurrencyPolicy: 'Forbid' }));
    await story.advance(11 * 60);
    expect(jobs()).toHaveLength(1);
    expect(tidy().status.active).toHaveLength(1);
  });

  it('that replaces ends the Job before', async () => {
    await begin();
    await story.apply(cron({ concurrencyPolicy: 'Replace' }));
    await story.advance(5 * 60);
    const [first] = jobs();
    await story.advance(5 * 60);
    expect(jobs()).toHaveLength(1);
    expect(jobs()[0]?.metadata.name).not.toBe(first?.metadata.name);
    const deaths = story.transitions.filter(({ kind }) => kind === 'container-died');
    for (const death of deaths)
      expect(death).toMatchObject({ killRequest: { by: 'delete' }, unrequested: false });
  });

  it('makes up for the last time that was missed, unless that is too late', async () => {
    await begin({ lives: { app: () => ({ runsMs: 1000 }) } });
    await story.apply(cron({ schedule: '0 * * * *' }));
    await story.advance(1);
    const seconds = 3600 - (Math.floor(story.clock.now() / 1000) % 3600) + 600;
    await story.sigkill(seconds + 3 * 3600);
    await story.advance(1);
    expect(jobs()).toHaveLength(1);
    await story.manager.apply([cron({ schedule: '0 * * * *', startingDeadlineSeconds: 60 })], {
      folder: '/srv/shop',
    });
    await story.sigkill(3600);
    await story.advance(1);
    expect(jobs()).toHaveLength(1);
  });

  it('that is suspended makes none', async () => {
    await begin();
    await story.apply(cron({ suspend: true }));
    await story.advance(3600);
    expect(jobs()).toEqual([]);
  });
});

// Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
describe('an indexed Job', () => {
  const indexes = () =>
    pods().map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/job-completion-index']);
  const indexed = (spec: Partial<Job['spec']>) => job({ completionMode: 'Indexed', ...spec });

  it('has a pod for each index, which knows it by name, host name and variable', async () => {
    await begin();
    await story.apply(indexed({ completions: 3, parallelism: 2 }));
    await story.advance(1);
    expect(indexes()).toEqual(['0', '1']);
    expect(pods()[1]).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^load-1-[a-z0-9]{5}$/),
        labels: { 'batch.kubernetes.io/job-completion-index': '1' },
      },
      spec: { hostname: 'load-1', containers: [{ env: [{ name: 'JOB_COMPLETION_INDEX', value: '1' }] }] },
    });
  });

  it('does each index once, whichever ends first, and makes those anew that failed', async () => {
    await begin({ lives: { app: () => ({ runsMs: 5000 }) } });
    await story.apply(indexed({ completions: 4, parallelism: 4 }));
    await story.advance(1);
    const second = pods().find(({ metadata }) => metadata.name.startsWith('load-1-'))!.metadata.name;
    story.runtime.kill(second, 'app', { exitCode: 1 });
    await story.advance(5);
    expect(load().status).toMatchObject({ succeeded: 3, failed: 1, completedIndexes: '0,2,3' });
    await story.advance(30);
    expect(load().status).toMatchObject({ succeeded: 4, failed: 1, completedIndexes: '0-3' });
    expect(conditions()).toContain('Complete True CompletionsReached');
    expect(indexes().sort()).toEqual(['0', '1', '1', '2', '3']);
  });

  it('goes on where it was after the agent died', async () => {
    await begin({ lives: { app: () => ({ runsMs: 5000 }) } });
    await story.apply(indexed({ completions: 3, parallelism: 1 }));
    await story.advance(7);
    expect(load().status.completedIndexes).toBe('0');
    await story.sigkill(1);
    await story.advance(20);
    expect(load().status).toMatchObject({ succeeded: 3, completedIndexes: '0-2' });
    expect(indexes().sort()).toEqual(['0', '1', '2']);
  });
});

// Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy and
// kubernetes/pkg/controller/job/pod_failure_policy.go, job_controller.go (isPodFailed, manageJob)
describe('a Job that says what becomes of failed pods', () => {
  const exits = (action: Rule['action'], values: readonly number[], operator: 'In' | 'NotIn' = 'In') => ({
    action,
    onExitCodes: { operator, values },
  });
  const policy = (...rules: readonly Rule[]) => ({ podFailurePolicy: { rules } });

  it('fails at once for an exit code that no second try would mend', async () => {
    await begin({ lives: { app: () => ({ runsMs: 1000, exitCode: 42 }) } });
    await story.apply(job({ backoffLimit: 6, ...policy(exits('FailJob', [42])) }));
    await story.advance(60);
    expect(at()).toEqual([0]);
    expect(conditions()).toEqual(['FailureTarget True PodFailurePolicy', 'Failed True PodFailurePolicy']);
    expect(load().status.conditions?.at(-1)?.message).toBe(
      `Container app for pod shop/${pods()[0]!.metadata.name} failed with exit code 42 matching FailJob rule at index 0`,
    );
    expect(load().status.failed).toBe(1);
  });

  it('takes the first rule that matches: what is ignored costs nothing, and others count', async () => {
    const codes = [7, 7, 7, 3, 3];
    let life = 0;
    await begin({ lives: { app: () => ({ runsMs: 1000, exitCode: codes[life++] ?? 0 }) } });
    await story.apply(
      job({ backoffLimit: 1, ...policy(exits('Ignore', [7]), exits('FailJob', [3, 7], 'NotIn')) }),
    );
    await story.advance(300);
    expect(at()).toEqual([0, 11, 32, 73, 154]);
    expect(load().status).toMatchObject({ failed: 2, succeeded: 0 });
    expect(conditions()?.at(-1)).toBe('Failed True BackoffLimitExceeded');
  });

  it('ignores pods that were made to go, by their condition', async () => {
    await begin();
    await story.apply(
      job({
        backoffLimit: 0,
        ...policy({ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }),
      }),
    );
    await story.advance(1);
    story.manager.evict('shop', pods()[0]!.metadata.name);
    await story.advance(60);
    expect(at()).toHaveLength(2);
    expect(load().status).toMatchObject({ active: 1, failed: 0, ready: 1 });
  });

  it('replaces a pod that is on its way out only once it is gone, where it asks for that', async () => {
    for (const podReplacementPolicy of ['Failed', 'TerminatingOrFailed'] as const) {
      await begin({ lives: { app: () => ({ stopMs: 20_000 }) } });
      await story.apply(job({ podReplacementPolicy }));
      await story.advance(1);
      const { name } = pods()[0]!.metadata;
      const request = { by: 'user', message: '' } as const;
      story.manager.delete({ kind: 'Pod', namespace: 'shop', name, request });
      await story.advance(60);
      expect(at()).toEqual(podReplacementPolicy === 'Failed' ? [0, 31] : [0, 11]);
      if (podReplacementPolicy === 'Failed') await story.end();
    }
  });
});

// Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#backoff-limit-per-index and
// kubernetes/pkg/controller/job/job_controller.go, indexed_job_utils.go
describe('a Job whose indexes have tries of their own', () => {
  const indexed = (spec: Partial<Job['spec']> = {}) =>
    job({
      completionMode: 'Indexed',
      completions: 3,
      parallelism: 3,
      backoffLimitPerIndex: 1,
      ...spec,
    });
  const names = () =>
    pods()
      .map(({ metadata }) => metadata.name.slice(0, 'load-0'.length))
      .sort();
  /** The first pods to be made are those of the indexes in order; then those that failed, in order. */
  const begins = async (exits: readonly number[]) => {
    let made = 0;
    await begin({ lives: { app: () => ({ runsMs: 1000, exitCode: exits[made++] ?? 0 }) } });
  };

  it('goes on with the others when one has used its own up, and fails at the end', async () => {
    await begins([0, 1, 0, 1]);
    await story.apply(indexed());
    await story.advance(60);
    expect(at()).toEqual([0, 0, 0, 11]);
    expect(names()).toEqual(['load-0', 'load-1', 'load-1', 'load-2']);
    expect(load().status).toMatchObject({
      succeeded: 2,
      failed: 2,
      completedIndexes: '0,2',
      failedIndexes: '1',
    });
    expect(conditions()).toEqual(['FailureTarget True FailedIndexes', 'Failed True FailedIndexes']);
    const counts = pods().map(
      ({ metadata }) => metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'],
    );
    expect(counts.sort()).toEqual(['0', '0', '0', '1']);
  });

  it('is complete when the second try of an index ends well, though the agent died meanwhile', async () => {
    await begins([0, 1, 0, 0]);
    await story.apply(indexed());
    await story.advance(5);
    await story.sigkill(1);
    await story.advance(60);
    expect(at()).toEqual([0, 0, 0, 11]);
    expect(load().status).toMatchObject({ succeeded: 3, failed: 1, completedIndexes: '0-2' });
    expect(conditions()?.at(-1)).toMatch(/^Complete True/);
  });

  it('fails at once when more indexes have failed than it bears, and one whose exit code says so is not tried again', async () => {
    await begins([7, 0, 7]);
    const rules = [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [7] } }] as const;
    await story.apply(indexed({ maxFailedIndexes: 1, podFailurePolicy: { rules } }));
    await story.advance(60);
    expect(at()).toEqual([0, 0, 0]);
    expect(load().status).toMatchObject({ failedIndexes: '0,2', completedIndexes: '1' });
    expect(conditions()?.at(-1)).toBe('Failed True MaxFailedIndexesExceeded');
  });
});

// Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy and
// kubernetes/pkg/controller/job/success_policy.go, job_controller.go (syncJob)
describe('a Job that has succeeded before all its indexes have', () => {
  type Rules = NonNullable<Job['spec']['successPolicy']>['rules'];
  const indexed = (rules: Rules, spec: Partial<Job['spec']> = {}) =>
    job({
      completionMode: 'Indexed',
      completions: 5,
      parallelism: 5,
      successPolicy: { rules },
      ...spec,
    });
  const podOf = (index: number) =>
    pods().find(({ metadata }) => metadata.name.startsWith(`load-${index}-`))!.metadata.name;
  const end = async (index: number, exitCode = 0) => {
    story.runtime.kill(podOf(index), 'app', { exitCode });
    await story.advance(1);
  };
  const begins = async (rules: Rules, spec: Partial<Job['spec']> = {}) => {
    await begin({ lives: { app: () => ({ stopMs: 3000 }) } });
    await story.apply(indexed(rules, spec));
    await story.advance(1);
  };
  const MET = ['SuccessCriteriaMet True SuccessPolicy', 'Complete True SuccessPolicy'];

  it('ends the pods that linger, whose kills say why, and is complete when they are gone', async () => {
    await begins([{ succeededIndexes: '0' }]);
    await end(3);
    expect(conditions()).toBeUndefined();
    await end(0);
    expect(conditions()).toEqual(MET.slice(0, 1));
    expect(load().status).toMatchObject({ active: 0, terminating: 3, succeeded: 2 });
    await story.advance(5);
    expect(conditions()).toEqual(MET);
    expect(load().status.conditions?.map(({ message }) => message)).toEqual([
      'Matched rules at index 0',
      'Matched rules at index 0',
    ]);
    expect(load().status).toMatchObject({
      succeeded: 2,
      failed: 0,
      terminating: 0,
      completedIndexes: '0,3',
      completionTime: expect.any(String),
    });
    const killed = story.transitions.flatMap((one) =>
      one.kind === 'container-died' && one.killRequest ? [one] : [],
    );
    expect(killed.map(({ killRequest, unrequested }) => [killRequest?.message, unrequested])).toEqual(
      Array(3).fill(['Job load has succeeded by its successPolicy: Matched rules at index 0', false]),
    );
  });

  it('may want so many of some indexes, or of all, whichever rule is met first', async () => {
    await begins([{ succeededIndexes: '0-2', succeededCount: 2 }, { succeededCount: 3 }]);
    for (const index of [4, 0]) await end(index);
    expect(conditions()).toBeUndefined();
    await end(3);
    expect(conditions()?.[0]).toBe(MET[0]);
    expect(load().status.conditions?.[0]?.message).toBe('Matched rules at index 1');
    await story.end();
    await begins([{ succeededIndexes: '0-2', succeededCount: 2 }, { succeededCount: 3 }]);
    for (const index of [2, 0]) await end(index);
    expect(load().status.conditions?.[0]?.message).toBe('Matched rules at index 0');
  });

  it('does not succeed while another index is missing, and is complete in the usual way when all are done', async () => {
    await begins([{ succeededIndexes: '0,2-4' }], { completions: 2, parallelism: 2 });
    for (const index of [0, 1]) await end(index);
    expect(conditions()).toEqual([
      'SuccessCriteriaMet True CompletionsReached',
      'Complete True CompletionsReached',
    ]);
  });

  it('stays successful whatever happens to the others then, and fails when it failed before', async () => {
    await begins([{ succeededIndexes: '0' }], { activeDeadlineSeconds: 4, backoffLimit: 0 });
    await end(0);
    await story.advance(10);
    expect(conditions()).toEqual(MET);
    await story.end();
    await begins([{ succeededIndexes: '0' }], { backoffLimit: 0 });
    await end(1, 3);
    await end(0);
    await story.advance(10);
    expect(conditions()).toEqual([
      'FailureTarget True BackoffLimitExceeded',
      'Failed True BackoffLimitExceeded',
    ]);
  });

  it('is remembered when the agent dies while its pods end', async () => {
    await begins([{ succeededCount: 1 }]);
    await end(2);
    await story.sigkill(1);
    await story.advance(10);
    expect(conditions()).toEqual(MET);
    expect(load().status).toMatchObject({ succeeded: 1, failed: 0, active: 0 });
    expect(at()).toHaveLength(5);
  });
});
