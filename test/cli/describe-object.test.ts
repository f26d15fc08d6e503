import { describe, expect, it } from 'vitest';
import { describeObject } from '../../src/cli/describe-object.ts';
import type { KubernetesObject } from '../../src/model/kubernetes-object.ts';

const template = {
  metadata: { labels: { app: 'db' } },
  spec: { containers: [{ name: 'app', image: 'host' }] },
};
const selector = { matchLabels: { app: 'db' } };
const described = (kind: string, rest: object, related: readonly object[] = []) =>
  describeObject(
    {
      kind,
      metadata: {
        name: 'db',
        namespace: 'shop',
        uid: 'u1',
        creationTimestamp: '2026-03-01T10:00:00Z',
        labels: { app: 'db' },
      },
      ...rest,
    } as unknown as KubernetesObject,
    related as readonly KubernetesObject[],
  );

describe('describe of objects that are no pods', () => {
  it('begins with who it is', () => {
    const lines = described('ConfigMap', { data: { CURRENCY: 'EUR' } }).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      expect.stringMatching(/^Name: +db$/),
      expect.stringMatching(/^Namespace: +shop$/),
      expect.stringMatching(/^CreationTimestamp: +2026-03-01T10:00:00Z$/),
    ]);
    expect(lines).toContain('  CURRENCY');
  });

  it('shows no value of a Secret', () => {
    const text = described('Secret', { type: 'Opaque', data: { token: 'c2VjcmV0' } });
    expect(text).toContain('  token');
    expect(text).not.toContain('c2VjcmV0');
  });

  it('tells of a StatefulSet and a DaemonSet how many there are and should be', () => {
    const replicas = {
      replicas: 3,
      readyReplicas: 2,
      availableReplicas: 2,
      currentReplicas: 3,
      updatedReplicas: 1,
    };
    expect(described('StatefulSet', { spec: { replicas: 3, selector, template }, status: replicas })).toMatch(
      /3 desired/,
    );
    const status = {
      desiredNumberScheduled: 1,
      currentNumberScheduled: 1,
      numberReady: 0,
      updatedNumberScheduled: 1,
      numberAvailable: 0,
    };
    expect(described('DaemonSet', { spec: { selector, template }, status })).toMatch(/Desired.*1/i);
  });

  it('tells of a Job how far it is, and of a CronJob its Jobs', () => {
    const status = {
      active: 1,
      ready: 1,
      terminating: 0,
      succeeded: 2,
      failed: 3,
      startTime: '2026-03-01T10:00:00Z',
    };
    const job = described('Job', { spec: { completions: 5, parallelism: 2, template }, status });
    expect(job).toMatch(/Completions: +5/);
    expect(job).toMatch(/2 Succeeded/);
    expect(job).toMatch(/3 Failed/);
    const cron = described(
      'CronJob',
      { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template } } }, status: {} },
      [{ kind: 'Job', metadata: { name: 'db-29000000', namespace: 'shop' }, spec: {}, status }],
    );
    expect(cron).toMatch(/Schedule: +\*\/5 \* \* \* \*/);
  });

  it('tells of a PriorityClass and a disruption budget what they allow', () => {
    const level = described('PriorityClass', { value: 1000, description: 'for pagers' });
    expect(level).toMatch(/^Value: +1000$/m);
    expect(level).toMatch(/^PreemptionPolicy: +PreemptLowerPriority$/m);
    const status = { disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 };
    expect(described('PodDisruptionBudget', { spec: { minAvailable: 2, selector }, status })).toMatch(
      /^Allowed disruptions: +1$/m,
    );
  });

  it('tells of an indexed Job which indexes are done, of a StatefulSet which claims it makes', () => {
    const status = { active: 0, ready: 0, terminating: 0, succeeded: 3, failed: 0, completedIndexes: '0-2' };
    expect(
      described('Job', { spec: { completions: 5, completionMode: 'Indexed', template }, status }),
    ).toMatch(/^Completed Indexes: +0-2$/m);
    const spec = { replicas: 1, selector, template, volumeClaimTemplates: [{ metadata: { name: 'data' } }] };
    expect(described('StatefulSet', { spec, status: { replicas: 1, readyReplicas: 1 } })).toMatch(
      /^Volume Claims: +data$/m,
    );
  });

  it('lets no text of an object pass for lines of its own', () => {
    const text = described('ConfigMap', { data: { 'a\nEvents:\u001b[31m': 'x' } });
    expect(text).not.toMatch(/^Events:/m);
    expect(text).not.toContain('\u001b');
  });
});
