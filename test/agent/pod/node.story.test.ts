// Source: https://kubernetes.io/docs/concepts/scheduling-eviction/ (kube-scheduler, node-pressure-eviction,
// api-eviction, pod-priority-preemption)
import { afterEach, describe, expect, it } from 'vitest';
import type { ManifestObject } from '../../../src/agent/pod/manifest/manifest-object.ts';
import { defaultNodeSettings } from '../../../src/agent/pod/node/node-settings.ts';
import type { NodeSignals } from '../../../src/agent/pod/node/pressure.ts';
import type { Pod, PodSpec } from '../../../src/model/kubernetes.ts';
import { container, createStory, deployment, type Story } from './harness.ts';

const MIB = 2 ** 20;
let story: Story;
afterEach(() => story.end());

const asks = (
  name: string,
  requests: Record<string, string>,
  more: Partial<PodSpec> = {},
): ManifestObject => ({
  file: 'shop.yaml',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels: { app: name } },
  spec: { containers: [container('app', { resources: { requests } })], ...more },
});
const scheduled = (name: string) =>
  story.pod(name).status.conditions.find(({ type }) => type === 'PodScheduled')!;
const condition = (type: string) =>
  story.manager.node().status.conditions.find((one) => one.type === type)!.status;
const remove = (name: string) =>
  story.manager.delete({ kind: 'Pod', namespace: 'shop', name, request: { by: 'user', message: '' } });

describe('a pod that finds no place', () => {
  it('stays Pending, says which constraint and by how much, and starts when room is made', async () => {
    story = await createStory();
    await story.apply(asks('big', { cpu: '3' }), asks('late', { cpu: '2' }));
    await story.advance(5);
    expect(story.pod('big').status.phase).toBe('Running');
    expect(story.pod('late')).toMatchObject({
      status: { phase: 'Pending', qosClass: 'Burstable' },
    });
    expect(story.pod('late').spec.nodeName).toBeUndefined();
    expect(story.pod('late').status.startTime).toBeUndefined();
    expect(scheduled('late')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message: expect.stringContaining("The pod requests 2 of cpu; 1 of the node's 4 is not requested yet."),
    });
    expect(story.log('scheduling-failed')).toHaveLength(1);
    remove('big');
    await story.advance(40);
    expect(story.pod('late').status.phase).toBe('Running');
    expect(scheduled('late')).toMatchObject({ status: 'True' });
    expect(story.pod('late').spec.nodeName).toBe('node-11');
  });

  // Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
  it('beside a pod it must not be with waits until that is gone; what it must be with, until that is there', async () => {
    story = await createStory();
    const beside = (which: 'podAffinity' | 'podAntiAffinity', name: string): Partial<PodSpec> => ({
      affinity: {
        [which]: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: name } } },
          ],
        },
      },
    });
    await story.apply(asks('old', {}), asks('new', {}, beside('podAntiAffinity', 'old')));
    await story.apply(asks('client', {}, beside('podAffinity', 'new')));
    await story.advance(1);
    expect(['old', 'new', 'client'].map((name) => story.pod(name).status.phase)).toEqual([
      'Running',
      'Pending',
      'Pending',
    ]);
    expect(scheduled('new')).toMatchObject({
      reason: 'Unschedulable',
      message: expect.stringMatching(
        /didn't match pod anti-affinity rules\..* keeps it from pod shop\/old\.$/,
      ),
    });
    expect(scheduled('client').message).toContain("didn't match pod affinity rules.");
    remove('old');
    await story.advance(40);
    expect(story.pod('new').status.phase).toBe('Running');
    expect(story.pod('client').status.phase).toBe('Running');
  });

  it('waits on after the agent died, and can be deleted while it waits', async () => {
    story = await createStory();
    await story.apply(asks('huge', { memory: '64Gi' }));
    await story.advance(1);
    await story.sigkill(5);
    await story.advance(1);
    expect(scheduled('huge').status).toBe('False');
    await remove('huge').gone;
    expect(story.manager.list('Pod')).toEqual([]);
  });

  it('of higher priority makes the least important go, gracefully, and the word is out why', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 3000 }) } });
    await story.apply(asks('batch', { cpu: '2' }, { priority: -10 }), asks('web', { cpu: '2' }));
    await story.advance(2);
    await story.apply(asks('pager', { cpu: '1' }, { priority: 1000 }));
    await story.advance(1);
    expect(story.transitions.filter(({ kind }) => kind === 'disrupted')).toMatchObject([
      { pod: { name: 'batch' }, reason: 'Preempted', message: expect.stringContaining('shop/pager') },
    ]);
    await story.advance(5);
    expect(story.pod('pager').status.phase).toBe('Running');
    expect(story.pod('web').status.phase).toBe('Running');
    expect(story.manager.get('Pod', 'shop', 'batch')).toBeUndefined();
    const deaths = story.transitions.filter((it) => it.kind === 'container-died');
    expect(deaths).toMatchObject([
      { pod: { name: 'batch' }, unrequested: false, killRequest: { by: 'eviction' } },
    ]);
  });
});

describe('a cordoned node', () => {
  it('takes no new pods, keeps those it has, also after the agent died, and takes more once it is uncordoned', async () => {
    story = await createStory();
    await story.apply(asks('old', {}));
    await story.advance(1);
    expect(story.manager.setUnschedulable(true)).toBe(true);
    expect(story.manager.setUnschedulable(true)).toBe(false);
    await story.advance(1);
    await story.sigkill(1);
    await story.apply(asks('new', {}));
    await story.advance(1);
    expect(story.pod('old').status.phase).toBe('Running');
    expect(scheduled('new').message).toContain('1 node(s) were unschedulable');
    expect(story.manager.node().spec).toEqual({ unschedulable: true });
    story.manager.setUnschedulable(false);
    await story.advance(1);
    expect(story.pod('new').status.phase).toBe('Running');
  });
});

describe('an eviction that is asked for', () => {
  const budget = (minAvailable: number): ManifestObject => ({
    file: 'shop.yaml',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { minAvailable, selector: { matchLabels: { 'app.kubernetes.io/name': 'web' } } },
  });
  const live = () =>
    (story.manager.list('Pod', 'shop') as readonly Pod[]).filter(
      ({ metadata }) => !metadata.deletionTimestamp,
    );

  it('is refused while it would break a disruption budget, and done when others are ready', async () => {
    story = await createStory();
    await story.apply(deployment(2), budget(1));
    await story.advance(5);
    expect(story.manager.get('PodDisruptionBudget', 'shop', 'web')).toMatchObject({
      status: { currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 2 },
    });
    story.manager.setUnschedulable(true);
    const [first, second] = live();
    story.manager.evict('shop', first!.metadata.name);
    await story.advance(40);
    // The replacement waits for the node: the other one may not go.
    expect(() => story.manager.evict('shop', second!.metadata.name)).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_DISRUPTIONS', status: 429 }),
    );
    story.manager.setUnschedulable(false);
    await story.advance(5);
    story.manager.evict('shop', second!.metadata.name);
    await story.advance(40);
    expect(live()).toHaveLength(2);
    expect(() => story.manager.evict('shop', 'none')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });
});

describe('a node short of memory', () => {
  const shortStory = async (signals: () => NodeSignals, memory: Record<string, number>) =>
    createStory({
      nodeSettings: defaultNodeSettings('node-11'),
      measures: {
        signals,
        usage: (uid) => {
          const name = story.manager.view(uid)!.ref.workload;
          const memoryBytes = (memory[name] ?? 0) * MIB;
          return { memoryBytes, containers: [{ name: 'app', memoryBytes }] };
        },
        diskBytes: () => 0,
      },
    });

  it('evicts who exceeds its request, one at a time, until there is enough, and shows the pressure for five minutes', async () => {
    let available = 500;
    story = await shortStory(
      () => ({ 'memory.available': { available: available * MIB, capacity: 8192 * MIB } }),
      {
        modest: 50,
        greedy: 900,
        grown: 300,
      },
    );
    await story.apply(
      asks('modest', { memory: '100Mi' }),
      asks('greedy', { memory: '100Mi' }),
      asks('grown', { memory: '200Mi' }),
    );
    await story.advance(15);
    available = 60;
    await story.advance(10);
    available = 900;
    await story.advance(20);
    expect(story.pod('greedy')).toMatchObject({
      status: {
        phase: 'Failed',
        reason: 'Evicted',
        message:
          'The node was low on resource: memory. Threshold quantity: 100Mi, available: 60Mi. ' +
          'Container app was using 900Mi, request is 100Mi, has larger consumption of memory.',
      },
    });
    expect(story.pod('greedy').status.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }),
    );
    expect(story.pod('modest').status.phase).toBe('Running');
    expect(story.pod('grown').status.phase).toBe('Running');
    expect(story.manager.evictions()).toEqual({ 'memory.available': 1 });
    expect(condition('MemoryPressure')).toBe('True');
    // Who asks for nothing may not come in now; who does may.
    await story.apply(asks('careless', {}), asks('careful', { memory: '64Mi' }));
    await story.advance(1);
    expect(scheduled('careless').message).toContain(
      'untolerated taint {node.kubernetes.io/memory-pressure: }',
    );
    expect(story.pod('careful').status.phase).toBe('Running');
    await story.advance(310);
    expect(condition('MemoryPressure')).toBe('False');
    expect(story.pod('careless').status.phase).toBe('Running');
  });

  it('makes the pod of a Deployment anew, and the death is nobody’s crash', async () => {
    let available = 500;
    story = await shortStory(
      () => ({ 'memory.available': { available: available * MIB, capacity: 8192 * MIB } }),
      {
        web: 900,
      },
    );
    const requests = { memory: '1Mi' };
    await story.apply(deployment(1, { containers: [container('app', { resources: { requests } })] }));
    await story.advance(12);
    const [before] = story.manager.list('Pod', 'shop');
    available = 60;
    await story.advance(9);
    available = 500;
    await story.advance(5);
    const living = (story.manager.list('Pod', 'shop') as readonly Pod[]).filter(
      ({ status }) => status.phase === 'Running',
    );
    expect(living).toHaveLength(1);
    expect(living[0]!.metadata.uid).not.toBe(before!.metadata.uid);
    expect(story.transitions.filter(({ kind }) => kind === 'container-died')).toMatchObject([
      { pod: { uid: before!.metadata.uid }, unrequested: false, killRequest: { by: 'eviction' } },
    ]);
  });
});

describe('a NoExecute taint', () => {
  const tainted = {
    ...defaultNodeSettings('node-11'),
    taints: [{ key: 'maintenance', effect: 'NoExecute' as const }],
  };
  const bears = (tolerationSeconds?: number) => ({
    tolerations: [
      {
        key: 'maintenance',
        operator: 'Exists' as const,
        ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
      },
    ],
  });

  it('lets nobody in who does not bear it, and ends who bore it long enough, with its own grace', async () => {
    story = await createStory({ nodeSettings: tainted, lives: { app: () => ({ stopMs: 3000 }) } });
    await story.apply(
      asks('guest', { cpu: '1' }),
      asks('brief', { cpu: '1' }, bears(30)),
      asks('keeper', { cpu: '1' }, bears()),
    );
    await story.advance(25);
    expect(story.pod('guest').status.phase).toBe('Pending');
    expect(scheduled('guest').message).toContain('node(s) had untolerated taint {maintenance: }');
    expect(story.pod('brief').status.phase).toBe('Running');
    await story.advance(20);
    expect(story.manager.get('Pod', 'shop', 'brief')).toBeUndefined();
    expect(story.pod('keeper').status.phase).toBe('Running');
    expect(story.transitions.filter(({ kind }) => kind === 'disrupted')).toMatchObject([
      {
        pod: { name: 'brief' },
        reason: 'TaintManagerEviction',
        message: 'Marking for deletion Pod shop/brief',
      },
    ]);
    expect(story.transitions.filter((it) => it.kind === 'container-died')).toMatchObject([
      { pod: { name: 'brief' }, exitCode: 143, unrequested: false, killRequest: { by: 'eviction' } },
    ]);
  });
});

describe('the time a pod may bear a NoExecute taint', () => {
  it('goes on counting from one agent to the next', async () => {
    story = await createStory({
      nodeSettings: {
        ...defaultNodeSettings('node-11'),
        taints: [{ key: 'maintenance', effect: 'NoExecute' }],
      },
    });
    const tolerations = [{ key: 'maintenance', operator: 'Exists' as const, tolerationSeconds: 100 }];
    await story.apply(asks('brief', { cpu: '1' }, { tolerations }));
    await story.advance(60);
    await story.sigkill(30);
    expect(story.pod('brief').status.phase).toBe('Running');
    await story.advance(25);
    expect(story.manager.get('Pod', 'shop', 'brief')).toBeUndefined();
  });
});

describe('a soft threshold of the node', () => {
  it('evicts when it was crossed for its grace period, and lets the pod end by itself', async () => {
    let available = 8192 * MIB;
    const defaults = defaultNodeSettings('node-11');
    story = await createStory({
      lives: { app: () => ({ stopMs: 3000, stopExitCode: 0 }) },
      nodeSettings: {
        ...defaults,
        softThresholds: { 'memory.available': { threshold: { amount: 500 * MIB }, graceMs: 60_000 } },
        maxPodGraceMs: 20_000,
      },
      measures: {
        signals: () => ({ 'memory.available': { available, capacity: 8192 * MIB } }),
        usage: () => ({ memoryBytes: 300 * MIB, containers: [] }),
        diskBytes: () => 0,
      },
    });
    await story.apply(asks('web', { memory: '100Mi' }));
    await story.advance(5);
    available = 400 * MIB;
    await story.advance(50);
    expect(condition('MemoryPressure')).toBe('False');
    expect(story.pod('web').status.phase).toBe('Running');
    await story.advance(30);
    expect(condition('MemoryPressure')).toBe('True');
    expect(story.pod('web').status).toMatchObject({
      phase: 'Failed',
      reason: 'Evicted',
      message: expect.stringContaining('Threshold quantity: 500Mi, available: 400Mi'),
    });
    expect(story.transitions.filter((it) => it.kind === 'container-died')).toMatchObject([{ exitCode: 0 }]);
  });
});

describe('a PriorityClass', () => {
  const level = (name: string, value: number, more: object = {}): ManifestObject => ({
    file: 'shop.yaml',
    kind: 'PriorityClass',
    metadata: { name, namespace: 'default' },
    value,
    ...more,
  });

  it('gives its value and its policy to pods that name it, in whatever order they are applied', async () => {
    story = await createStory();
    await story.apply(
      asks('pager', { cpu: '1' }, { priorityClassName: 'urgent' }),
      level('urgent', 1000, { preemptionPolicy: 'Never' }),
    );
    await story.advance(1);
    expect(story.pod('pager').spec).toMatchObject({
      priority: 1000,
      priorityClassName: 'urgent',
      preemptionPolicy: 'Never',
    });
    // Applied again it is the same pod.
    await story.apply(asks('pager', { cpu: '1' }, { priorityClassName: 'urgent' }));
    expect(story.manager.list('Pod')).toHaveLength(1);
  });

  it('is the default of pods that name none, from then on; and Deployments make their pods so', async () => {
    story = await createStory();
    await story.apply(asks('before', { cpu: '100m' }));
    await story.apply(level('usual', 7, { globalDefault: true }), deployment(1));
    await story.advance(1);
    expect(story.pod('before').spec.priority).toBeUndefined();
    await story.apply(asks('before', { cpu: '100m' }));
    const own = (story.manager.list('Pod') as readonly Pod[]).filter(
      ({ metadata }) => metadata.ownerReferences,
    );
    expect(own.map(({ spec }) => [spec.priority, spec.priorityClassName])).toEqual([[7, 'usual']]);
  });

  it('that never preempts waits; one that may makes room', async () => {
    story = await createStory();
    await story.apply(
      level('polite', 1000, { preemptionPolicy: 'Never' }),
      level('rude', 900),
      asks('batch', { cpu: '4' }),
    );
    await story.advance(1);
    await story.apply(asks('patient', { cpu: '4' }, { priorityClassName: 'polite' }));
    await story.advance(40);
    expect(story.pod('patient').status.phase).toBe('Pending');
    await remove('patient').gone;
    await story.apply(asks('pushing', { cpu: '4' }, { priorityClassName: 'rude' }));
    await story.advance(40);
    expect(story.pod('pushing').status.phase).toBe('Running');
    expect(story.manager.get('Pod', 'shop', 'batch')).toBeUndefined();
  });

  it('must be there, and keeps its value', async () => {
    story = await createStory();
    const applied = (object: ManifestObject) => story.manager.apply([object], {});
    await expect(applied(deployment(1, { priorityClassName: 'none' }))).rejects.toMatchObject({
      code: 'PRIORITY_CLASS_NOT_FOUND',
      message: expect.stringContaining('deployment shop/web: no PriorityClass with name none was found'),
    });
    expect(story.manager.list('Deployment')).toEqual([]);
    await story.apply(level('usual', 7), asks('critical', {}, { priorityClassName: 'system-node-critical' }));
    expect(story.pod('critical').spec.priority).toBe(2_000_001_000);
    await expect(applied(level('usual', 8))).rejects.toMatchObject({ code: 'PRIORITYCLASS_IMMUTABLE' });
  });
});
