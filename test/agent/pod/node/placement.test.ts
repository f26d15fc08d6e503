import { describe, expect, it } from 'vitest';
import { place, type SchedulableNode } from '../../../../src/agent/pod/node/placement.ts';
import { podRequests } from '../../../../src/agent/pod/node/resources.ts';
import { schedule } from '../../../../src/agent/pod/node/schedule.ts';
import type {
  LabelSelector,
  PodAffinity,
  PodSpec,
  TopologySpreadConstraint,
} from '../../../../src/model/kubernetes.ts';

const GIB = 2 ** 30;
const node: SchedulableNode = {
  name: 'host',
  labels: { 'kubernetes.io/arch': 'amd64', disk: 'ssd', cores: '8' },
  allocatable: { cpu: 4, memory: 8 * GIB, 'ephemeral-storage': 100 * GIB, pods: 3 },
  unschedulable: false,
  taints: [],
};
const asks = (requests: Record<string, string>, more: Partial<PodSpec> = {}): PodSpec => ({
  containers: [{ name: 'app', resources: { requests } }],
  ...more,
});
let uids = 0;
const placed = (spec: PodSpec, labels: Record<string, string> = {}, namespace = 'shop') => {
  const name = `pod-${++uids}`;
  return { uid: name, name, namespace, labels, spec, createdAt: uids, leaving: false };
};
const messageOf = (spec: PodSpec, on = node, others: ReturnType<typeof placed>[] = []) => {
  const placement = place(placed(spec), on, others);
  return placement.fits ? 'fits' : placement.message;
};

// Source: kubernetes component-helpers/resource/helpers_test.go
describe('the requests of a pod', () => {
  it('are those of its containers, or of its hungriest init container, whichever is more', () => {
    const spec: PodSpec = {
      initContainers: [
        { name: 'migrate', resources: { requests: { cpu: '3' } } },
        { name: 'fetch', resources: { requests: { memory: '64Mi' } } },
      ],
      containers: [
        { name: 'app', resources: { requests: { cpu: '1', memory: '1Gi' } } },
        { name: 'proxy', resources: { limits: { cpu: '500m' } } },
      ],
    };
    expect(podRequests(spec)).toMatchObject({ cpu: 3, memory: GIB });
  });

  it('count a sidecar beside the containers, and beside the init containers after it', () => {
    const spec: PodSpec = {
      initContainers: [
        { name: 'mesh', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } },
        { name: 'migrate', resources: { requests: { cpu: '2' } } },
      ],
      containers: [{ name: 'app', resources: { requests: { cpu: '1500m' } } }],
    };
    expect(podRequests(spec).cpu).toBe(3);
  });
});

// Source: kubernetes/pkg/scheduler/framework/plugins, and what `kubectl describe pod` shows
describe('a pod on this one node', () => {
  it('fits while what it requests is free, whatever is used', () => {
    expect(messageOf(asks({ cpu: '1500m' }), node, [placed(asks({ cpu: '2500m' }))])).toBe('fits');
    expect(messageOf(asks({}), node, [placed(asks({ cpu: '4' }))])).toBe('fits');
  });

  it('is told which resource is short, and by how much', () => {
    expect(
      messageOf(asks({ cpu: '2', memory: '7Gi' }), node, [placed(asks({ cpu: '3', memory: '2Gi' }))]),
    ).toBe(
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. preemption: 0/1 nodes are available: ' +
        '1 No preemption victims found for incoming pod.' +
        " The pod requests 2 of cpu; 1 of the node's 4 is not requested yet." +
        " The pod requests 7Gi of memory; 6Gi of the node's 8Gi is not requested yet.",
    );
  });

  it('is told that making room would not help where the whole node is too small', () => {
    expect(messageOf(asks({ memory: '64Gi' }))).toContain('1 Preemption is not helpful for scheduling.');
  });

  it('waits where there are as many pods as the node takes', () => {
    const full = [placed(asks({})), placed(asks({})), placed(asks({}))];
    expect(messageOf(asks({}), node, full)).toContain('1 Too many pods');
  });

  it('must choose the node by its labels', () => {
    const wrong = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
    expect(messageOf(asks({}, { nodeSelector: { disk: 'ssd' } }))).toBe('fits');
    expect(messageOf(asks({}, { nodeSelector: { disk: 'hdd' } }))).toContain(wrong);
    const affinity = (
      operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt',
      key: string,
      values?: string[],
    ) =>
      asks(
        {},
        {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key, operator, ...(values && { values }) }] }],
              },
            },
          },
        },
      );
    expect(messageOf(affinity('In', 'disk', ['ssd', 'nvme']))).toBe('fits');
    expect(messageOf(affinity('NotIn', 'disk', ['ssd']))).toContain(wrong);
    expect(messageOf(affinity('NotIn', 'zone', ['a']))).toBe('fits');
    expect(messageOf(affinity('Exists', 'zone'))).toContain(wrong);
    expect(messageOf(affinity('DoesNotExist', 'zone'))).toBe('fits');
    expect(messageOf(affinity('Gt', 'cores', ['4']))).toBe('fits');
    expect(messageOf(affinity('Lt', 'cores', ['4']))).toContain(wrong);
    expect(messageOf(affinity('Gt', 'disk', ['4']))).toContain(wrong);
  });

  it('must bear the taints of the node', () => {
    const tainted = { ...node, taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' as const }] };
    expect(messageOf(asks({}), tainted)).toContain('1 node(s) had untolerated taint {dedicated: gpu}.');
    const bears = (toleration: object) => messageOf(asks({}, { tolerations: [toleration] }), tainted);
    expect(bears({ key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' })).toBe('fits');
    expect(bears({ key: 'dedicated', operator: 'Exists' })).toBe('fits');
    expect(bears({ operator: 'Exists' })).toBe('fits');
    expect(bears({ key: 'dedicated', value: 'cpu' })).toContain('untolerated');
    expect(bears({ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' })).toContain('untolerated');
    const soft = { ...node, taints: [{ key: 'busy', effect: 'PreferNoSchedule' as const }] };
    expect(messageOf(asks({}), soft)).toBe('fits');
  });

  it('stays away from a cordoned node', () => {
    expect(messageOf(asks({}), { ...node, unschedulable: true })).toContain('1 node(s) were unschedulable.');
  });

  it('needs its host ports to be free', () => {
    const onPort = (hostPort: number, hostIP?: string): PodSpec => ({
      containers: [{ name: 'app', ports: [{ containerPort: 80, hostPort, ...(hostIP && { hostIP }) }] }],
    });
    const clash = "1 node(s) didn't have free ports for the requested pod ports.";
    expect(messageOf(onPort(8080), node, [placed(onPort(8080))])).toContain(clash);
    expect(messageOf(onPort(8080, '127.0.0.1'), node, [placed(onPort(8080))])).toContain(clash);
    expect(messageOf(onPort(8080, '127.0.0.1'), node, [placed(onPort(8080, '127.0.0.2'))])).toBe('fits');
    expect(messageOf(onPort(8081), node, [placed(onPort(8080))])).toBe('fits');
  });
});

type Term = NonNullable<PodAffinity['requiredDuringSchedulingIgnoredDuringExecution']>[number];
const HOST = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';
const here: SchedulableNode = {
  ...node,
  labels: { ...node.labels, [HOST]: 'host' },
  allocatable: { ...node.allocatable, pods: 100 },
};
const app = (value: string): LabelSelector => ({ matchLabels: { app: value } });
const affine = (which: 'podAffinity' | 'podAntiAffinity', ...terms: readonly Partial<Term>[]) =>
  asks(
    {},
    {
      affinity: {
        [which]: {
          requiredDuringSchedulingIgnoredDuringExecution: terms.map((term) => ({
            topologyKey: HOST,
            ...term,
          })),
        },
      },
    },
  );
const reasonOf = (
  pod: ReturnType<typeof placed>,
  others: readonly ReturnType<typeof placed>[],
  on = here,
) => {
  const placement = place(pod, on, others);
  return placement.fits ? 'fits' : placement.message;
};

// Source: kubernetes/pkg/scheduler/framework/plugins/interpodaffinity/filtering.go and
// https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
describe('a pod that keeps away from others', () => {
  const away = (term: Partial<Term>, labels: Record<string, string> = {}, namespace = 'shop') =>
    placed(affine('podAntiAffinity', term), labels, namespace);
  const web = (labels: Record<string, string> = {}, namespace = 'shop') =>
    placed(asks({}), { app: 'web', ...labels }, namespace);

  it('has no place beside one of those on this node, and is told which', () => {
    const other = web();
    expect(reasonOf(away({ labelSelector: app('web') }), [placed(asks({})), other])).toBe(
      "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. preemption: 0/1 nodes are available: " +
        `1 No preemption victims found for incoming pod. Its podAntiAffinity on ${HOST} keeps it from pod shop/${other.name}.`,
    );
    expect(reasonOf(away({ labelSelector: app('api') }), [other])).toBe('fits');
    expect(reasonOf(away({ labelSelector: app('web') }), [])).toBe('fits');
  });

  it('means one zone by the label of a zone, and nothing by a label that the node has not', () => {
    const zoned = { ...here, labels: { ...here.labels, [ZONE]: 'a' } };
    const pod = () => away({ labelSelector: app('web'), topologyKey: ZONE });
    expect(reasonOf(pod(), [web()], zoned)).toContain("didn't match pod anti-affinity rules");
    expect(reasonOf(pod(), [web()])).toBe('fits');
    expect(reasonOf(away({ labelSelector: app('web'), topologyKey: 'constructor' }), [web()])).toBe('fits');
  });

  it('means its own namespace, those it names, or those it selects', () => {
    const elsewhere = [web({}, 'stage')];
    const fits = (term: Partial<Term>) => reasonOf(away({ labelSelector: app('web'), ...term }), elsewhere);
    expect(fits({})).toBe('fits');
    expect(fits({ namespaces: ['prod'] })).toBe('fits');
    expect(fits({ namespaces: ['prod', 'stage'] })).toContain('anti-affinity');
    expect(fits({ namespaceSelector: {} })).toContain('anti-affinity');
    const named = (name: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
    expect(fits({ namespaceSelector: named('stage') })).toContain('anti-affinity');
    expect(fits({ namespaceSelector: named('prod') })).toBe('fits');
  });

  it('means all pods by an empty selector, none without one, and only its own version by a key', () => {
    expect(reasonOf(away({ labelSelector: {} }), [placed(asks({}))])).toContain('anti-affinity');
    expect(reasonOf(away({}), [web()])).toBe('fits');
    const version = (term: Partial<Term>, labels: Record<string, string>) =>
      reasonOf(away({ labelSelector: app('web'), ...term }, labels), [web({ version: '1' })]);
    const same = { matchLabelKeys: ['version'] };
    expect(version(same, { version: '1' })).toContain('anti-affinity');
    expect(version(same, { version: '2' })).toBe('fits');
    // Of a key that the pod itself has not, nothing is asked.
    expect(version(same, {})).toContain('anti-affinity');
    expect(version({ mismatchLabelKeys: ['version'] }, { version: '1' })).toBe('fits');
    expect(version({ mismatchLabelKeys: ['version'] }, { version: '2' })).toContain('anti-affinity');
  });

  it('keeps others away in turn, for as long as it is there', () => {
    const shy = { ...away({ labelSelector: app('web') }), leaving: true };
    expect(reasonOf(web(), [shy])).toBe(
      "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. preemption: 0/1 nodes are available: " +
        `1 No preemption victims found for incoming pod. The podAntiAffinity on ${HOST} of pod shop/${shy.name} keeps it away.`,
    );
    expect(reasonOf(web({}, 'stage'), [shy])).toBe('fits');
    expect(reasonOf(placed(asks({})), [shy])).toBe('fits');
  });

  it('makes those of lower priority go', () => {
    const pod = placed({ ...affine('podAntiAffinity', { labelSelector: app('web') }), priority: 100 });
    const [bystander, other] = [placed(asks({})), web()];
    expect(schedule([pod], here, [bystander, other])).toMatchObject([
      { kind: 'preempt', victims: [other.uid] },
    ]);
  });

  it('lets one of several that wait in, and that before any other', () => {
    const replicas = [1, 2, 3].map(() => away({ labelSelector: app('web') }, { app: 'web' }));
    expect(schedule(replicas, here, []).map(({ kind }) => kind)).toEqual(['bind', 'refuse', 'refuse']);
  });
});

// Source: filtering.go, satisfyPodAffinity
describe('a pod that wants to be with others', () => {
  const near = (terms: readonly Partial<Term>[], labels: Record<string, string> = {}) =>
    placed(affine('podAffinity', ...terms), labels);
  const lonely = "0/1 nodes are available: 1 node(s) didn't match pod affinity rules. ";

  it('waits for one that all its terms take', () => {
    const cache = placed(asks({}), { app: 'cache', tier: 'data' });
    const wants = () =>
      near([{ labelSelector: app('cache') }, { labelSelector: { matchLabels: { tier: 'data' } } }]);
    expect(reasonOf(wants(), [cache])).toBe('fits');
    expect(
      reasonOf(wants(), [placed(asks({}), { app: 'cache' }), placed(asks({}), { tier: 'data' })]),
    ).toContain(lonely);
    expect(reasonOf(wants(), [])).toBe(
      `${lonely}preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling. No pod here is one that its podAffinity on ${HOST}, ${HOST} asks for.`,
    );
  });

  it('may be the first of its own kind', () => {
    const own = () => near([{ labelSelector: app('web') }], { app: 'web' });
    expect(reasonOf(own(), [])).toBe('fits');
    expect(schedule([own(), own()], here, []).map(({ kind }) => kind)).toEqual(['bind', 'bind']);
  });

  it('needs a node that has the label it goes by, even so', () => {
    const own = near([{ labelSelector: app('web'), topologyKey: ZONE }], { app: 'web' });
    expect(reasonOf(own, [own])).toContain(lonely);
    expect(reasonOf(own, [own])).toContain(`The node has no label ${ZONE}.`);
  });
});

// Source: kubernetes/pkg/scheduler/framework/plugins/podtopologyspread/filtering.go and
// https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
describe('a pod that wants to be spread', () => {
  const spread = (
    constraint: Partial<TopologySpreadConstraint>,
    labels: Record<string, string> = { app: 'web' },
  ) =>
    placed(
      asks(
        {},
        {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: HOST,
              whenUnsatisfiable: 'DoNotSchedule',
              labelSelector: app('web'),
              ...constraint,
            },
          ],
        },
      ),
      labels,
    );
  const full = [1, 2, 3].map(() => placed(asks({}), { app: 'web' }));
  const refused = "1 node(s) didn't match pod topology spread constraints";

  it('has a place on the one node there is, however many are there', () => {
    expect(reasonOf(spread({}), full)).toBe('fits');
  });

  it('does not, where the node has not the label; unless that is but a wish', () => {
    expect(reasonOf(spread({ topologyKey: ZONE }), [])).toBe(
      `0/1 nodes are available: ${refused} (missing required label). preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling. The node has no label ${ZONE}.`,
    );
    expect(reasonOf(spread({ topologyKey: ZONE, whenUnsatisfiable: 'ScheduleAnyway' }), [])).toBe('fits');
  });

  it('does not beyond its skew where it asks for more domains than there are', () => {
    expect(reasonOf(spread({ minDomains: 2 }), [])).toBe('fits');
    expect(reasonOf(spread({ minDomains: 2, maxSkew: 3 }), full.slice(1))).toBe('fits');
    expect(reasonOf(spread({ minDomains: 2, maxSkew: 3 }), full)).toContain(
      `${refused}. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod. With it 4 of its pods`,
    );
    // Those that leave do not count, nor those of other namespaces or other labels.
    const others = [
      { ...full[0]!, leaving: true },
      placed(asks({}), { app: 'web' }, 'stage'),
      placed(asks({})),
    ];
    expect(reasonOf(spread({ minDomains: 2 }), others)).toBe('fits');
    const [first] = [placed(asks({}), { app: 'web', version: '1' })];
    const second = { app: 'web', version: '2' };
    expect(reasonOf(spread({ minDomains: 2 }, second), [first])).toContain(refused);
    expect(reasonOf(spread({ minDomains: 2, matchLabelKeys: ['version'] }, second), [first])).toBe('fits');
  });
});

describe('the pods that wait for the node', () => {
  it('are bound the most important first, then the oldest, until nothing more fits', () => {
    const [old, young, important] = [
      placed(asks({ cpu: '3' })),
      placed(asks({ cpu: '3' })),
      placed(asks({ cpu: '1' }, { priority: 100 })),
    ];
    const steps = schedule([young!, old!, important!], node, []);
    expect(steps.map(({ kind, uid }) => [kind, uid])).toEqual([
      ['bind', important!.uid],
      ['bind', old!.uid],
      ['refuse', young!.uid],
    ]);
  });

  it('make the fewest and least important pods go when they are of higher priority', () => {
    const small = placed(asks({ cpu: '1' }));
    const big = placed(asks({ cpu: '3' }, { priority: 10 }));
    const wants = placed(asks({ cpu: '1' }, { priority: 1000 }));
    const [step] = schedule([wants], node, [small, big]);
    expect(step).toMatchObject({ kind: 'preempt', victims: [small.uid] });
  });

  it('make nobody go for nothing', () => {
    const equal = placed(asks({ cpu: '4' }, { priority: 1000 }));
    const [step] = schedule([placed(asks({ cpu: '1' }, { priority: 1000 }))], node, [equal]);
    expect(step).toMatchObject({ kind: 'refuse' });
    const polite = placed(asks({ cpu: '1' }, { priority: 2000, preemptionPolicy: 'Never' }));
    expect(schedule([polite], node, [equal])).toMatchObject([{ kind: 'refuse' }]);
  });

  it('keep what leaving pods free for those they leave for', () => {
    const leaving = { ...placed(asks({ cpu: '4' })), leaving: true };
    const important = placed(asks({ cpu: '4' }, { priority: 1000 }));
    const small = placed(asks({}));
    expect(schedule([small, important], node, [leaving])).toEqual([
      { kind: 'preempt', uid: important.uid, message: expect.any(String), victims: [] },
      { kind: 'refuse', uid: small.uid, message: expect.stringContaining('make room') },
    ]);
  });
});
