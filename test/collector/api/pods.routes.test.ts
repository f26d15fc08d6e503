import { beforeEach, describe, expect, it } from 'vitest';
import { podRoutes, type ReadLogs } from '../../../src/collector/api/pods.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import type { Pod } from '../../../src/model/kubernetes.ts';
import type { PodRef } from '../../../src/model/pod-ref.ts';
import type { AgentRecord } from '../../../src/model/record.ts';
import { createMemoryEventLog } from '../../support/memory-event-log.ts';
import { HEALTHY, podRecord, shopRecords } from '../../support/shop-records.ts';

const NOW = Date.UTC(2026, 10, 21, 9, 30);
const log = createMemoryEventLog();

let logs: ReadLogs | undefined;
const server = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port: 0 } });
server.app.register(podRoutes({ log, logs: async (...asked) => logs?.(...asked) }));
await log.append(shopRecords(NOW));

beforeEach(() => {
  logs = undefined;
});

async function get(url: string) {
  const answer = await server.app.inject({ url, headers: { host: 'localhost' } });
  return {
    code: answer.statusCode,
    type: answer.headers['content-type'],
    text: answer.body,
    json: () => answer.json(),
  };
}
const names = async (url: string) => (await get(url)).json().items.map((pod: Pod) => pod.metadata.name);

describe('GET /api/pods', () => {
  it('lists living pods as a v1 List of Kubernetes objects, by name', async () => {
    const list = (await get('/api/pods')).json();
    expect(list).toMatchObject({ kind: 'List', apiVersion: 'v1', metadata: {} });
    expect(list.items[0]).toMatchObject({ kind: 'Pod', apiVersion: 'v1', metadata: { namespace: 'shop' } });
    expect(await names('/api/pods')).toEqual([
      'cart-7b9c6d4f5-q8w2e',
      'search-59f7b8d6c-v6b1y',
      'web-6d5f7c9b8-7hfqd',
      'web-6d5f7c9b8-m4tzw',
      'web-6d5f7c9b8-x2k9p',
      'worker-84c5d7f6b-j3n5r',
    ]);
  });

  it('selects by namespace and by labels', async () => {
    const selected = (selector: string) => names(`/api/pods?labelSelector=${encodeURIComponent(selector)}`);
    expect(await names('/api/pods?namespace=elsewhere')).toEqual([]);
    expect(await selected('team=checkout')).toEqual(['cart-7b9c6d4f5-q8w2e']);
    expect(await selected('team in (discovery, fulfilment)')).toHaveLength(2);
    expect(await selected('tier=primary,team!=storefront')).toEqual(['cart-7b9c6d4f5-q8w2e']);
    expect(await selected('team notin (storefront)')).toHaveLength(3);
    expect(await selected('!tier')).toEqual(['search-59f7b8d6c-v6b1y', 'worker-84c5d7f6b-j3n5r']);
    expect(await selected('toString')).toEqual([]);
  });

  it('says which condition of a selector it does not understand', async () => {
    const answer = await get('/api/pods?labelSelector=team%3E3');
    expect(answer.json()).toMatchObject({ code: 400, reason: 'BadRequest' });
    expect(answer.json().message).toContain('"team>3" is no condition');
  });
});

describe('GET /api/pods/{namespace}/{pod}', () => {
  it('gives the object', async () => {
    const pod = (await get('/api/pods/shop/cart-7b9c6d4f5-q8w2e')).json();
    expect(pod.status.containerStatuses[0].state.waiting.reason).toBe('CrashLoopBackOff');
  });

  it('tells a pod that was deleted from one that never was', async () => {
    expect((await get('/api/pods/shop/cart-5c8d9-old1x')).json().message).toMatch(
      /was deleted by 2026-11-21T09:13/,
    );
    const unknown = (await get('/api/pods/shop/crat')).json();
    expect(unknown).toMatchObject({ code: 404, reason: 'NotFound' });
    expect(unknown.message).toContain('near: shop/cart-7b9c6d4f5-q8w2e');
  });

  it('names the pods of a workload to whoever asks for it as a pod', async () => {
    const { message } = (await get('/api/pods/shop/worker')).json();
    expect(message).toBe('pod "shop/worker" not found; near: shop/worker-84c5d7f6b-j3n5r');
    expect((await get('/api/pods/default/worker')).json().message).toContain(
      'near: shop/worker-84c5d7f6b-j3n5r',
    );
  });
});

describe('why', () => {
  it('answers for a pod with its verdict, exactly as the contract has it', async () => {
    const answer = (await get('/api/pods/shop/worker-84c5d7f6b-j3n5r/why')).json();
    expect(Object.keys(answer)).toEqual(['pod', 'verdict', 'others']);
    expect(answer.pod).toEqual({
      namespace: 'shop',
      name: 'worker-84c5d7f6b-j3n5r',
      uid: 'uid-of-shop-worker-84c5d7f6b-j3n5r',
    });
    expect(Object.keys(answer.verdict)).toEqual([
      'cause',
      'failureMode',
      'confidence',
      'summary',
      'evidence',
      'next',
    ]);
    expect(answer.verdict).toMatchObject({ cause: 'OOMKilled', failureMode: 'F2', confidence: 'certain' });
    for (const { fact, source, at } of answer.verdict.evidence) {
      expect([typeof fact, typeof source]).toEqual(['string', 'string']);
      expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
    expect(answer.others).toEqual([]);
  });

  it('answers for a workload with its worst living pod', async () => {
    expect((await get('/api/pods/shop/cart/why')).json()).toMatchObject({
      pod: { name: 'cart-7b9c6d4f5-q8w2e' },
      verdict: { cause: 'MissingConfig' },
    });
    expect((await get('/api/pods/shop/web/why')).json().verdict.cause).toBe('None');
  });

  it('answers for a pod deleted since', async () => {
    const answer = (await get('/api/pods/shop/cart-5c8d9-old1x/why')).json();
    expect(answer.verdict.cause).toBe('MissingConfig');
    expect(answer.others.map((other: { pod: { name: string } }) => other.pod.name)).toEqual([
      'cart-7b9c6d4f5-q8w2e',
    ]);
  });

  it('says why a workload has no pods, for as long as none can be made', async () => {
    const workload = (deleted: boolean) =>
      ({
        kind: 'workload',
        state: {
          id: `late-${deleted}`,
          at: NOW,
          node: 'thinkpad',
          deleted,
          object: { kind: 'StatefulSet', metadata: { name: 'late', namespace: 'shop', uid: 'late' } },
        },
      }) as AgentRecord;
    const told = (reason: string, at: number, message: string) =>
      ({
        kind: 'event',
        event: {
          id: `${reason} ${at}`,
          at,
          pod: {
            namespace: 'shop',
            name: '',
            uid: 'late',
            node: 'thinkpad',
            workload: 'late',
            workloadType: 'statefulset',
          },
          object: { kind: 'StatefulSet', name: 'late' },
          type: 'Warning',
          reason,
          message,
        },
      }) as AgentRecord;
    const answer = async () => (await get('/api/pods/shop/late/why')).json();
    await log.append([told('FailedCreate', NOW, 'pods "late-0" already exists')]);
    expect((await answer()).message).toContain('not found');
    await log.append([workload(false)]);
    expect(await answer()).toMatchObject({
      code: 404,
      message: 'statefulset "shop/late" has no pods, as none can be made: pods "late-0" already exists',
    });
    await log.append([told('SuccessfulCreate', NOW + 1, 'create Pod late-0 in StatefulSet late successful')]);
    expect((await answer()).message).toBe(
      'statefulset "shop/late" has no pods; see what its controller does: podvitals describe statefulset/late -n shop',
    );
  });

  it('answers of a kind for the pods of that one only, and says what else has its name', async () => {
    const records = createMemoryEventLog();
    const own = await createHttpServer({ name: 'collector', listen: { host: '127.0.0.1', port: 0 } });
    own.app.register(podRoutes({ log: records }));
    const story = (name: string, workload: string, workloadType: PodRef['workloadType'], owner?: object) => {
      const record = podRecord({
        name,
        workload,
        workloadType,
        createdAt: NOW,
        state: { running: { startedAt: '2026-11-21T09:00:00Z' } },
        ready: true,
        verdict: { ...HEALTHY, cause: name === 'cart' ? 'None' : 'ConfigMissing', summary: name },
      });
      const { object } = record.state;
      const ownerReferences = owner && [owner];
      const metadata = { ...object.metadata, ...(ownerReferences && { ownerReferences }) };
      return { ...record, state: { ...record.state, object: { ...object, metadata } } } as AgentRecord;
    };
    const workload = (kind: string, name: string, spec: object) =>
      ({
        kind: 'workload',
        state: {
          id: `${kind} ${name}`,
          at: NOW,
          node: 'thinkpad',
          deleted: false,
          object: { kind, metadata: { name, namespace: 'shop', uid: name }, spec },
        },
      }) as AgentRecord;
    await records.append([
      story('cart', 'cart', 'barepod'),
      story('cart-7b9c6-q8w2e', 'cart', 'deployment', { kind: 'ReplicaSet', name: 'cart-7b9c6' }),
      story('cart-0', 'cart', 'statefulset'),
      story('tidy-291-x2k9p', 'tidy', 'cronjob', { kind: 'Job', name: 'tidy-291' }),
      story('tidy-292-x2k9p', 'tidy', 'cronjob', { kind: 'Job', name: 'tidy-292' }),
      workload('Deployment', 'idle', { replicas: 0 }),
      workload('CronJob', 'never', { suspend: true }),
    ]);
    const ask = async (kind: string, name: string) =>
      (
        await own.app.inject({
          url: `/api/pods/shop/${name}/why?kind=${kind}`,
          headers: { host: 'localhost' },
        })
      ).json();
    const podOf = async (kind: string, name: string) => (await ask(kind, name)).pod.name;
    expect(await podOf('pod', 'cart')).toBe('cart');
    expect(await podOf('deployment', 'cart')).toBe('cart-7b9c6-q8w2e');
    expect(await podOf('statefulset', 'cart')).toBe('cart-0');
    expect((await ask('statefulset', 'cart')).others).toEqual([]);
    expect(await podOf('replicaset', 'cart-7b9c6')).toBe('cart-7b9c6-q8w2e');
    expect(await podOf('job', 'tidy-292')).toBe('tidy-292-x2k9p');
    expect((await ask('job', 'tidy-292')).others).toEqual([]);
    expect((await ask('cronjob', 'tidy')).others).toHaveLength(1);
    const message = async (kind: string, name: string) => (await ask(kind, name)).message;
    expect(await message('daemonset', 'tidy')).toBe(
      'daemonset "shop/tidy" not found; there is a cronjob of that name: podvitals why cronjob/tidy -n shop',
    );
    expect(await message('job', 'idle')).toContain('there is a deployment of that name');
    expect(await message('job', 'tidy-293')).toContain('near: job/shop/tidy-291, job/shop/tidy-292');
    expect(await message('daemonset', 'zzzzzz')).toContain('podvitals get daemonsets -A shows what there is');
    expect(await message('deployment', 'idle')).toBe(
      'deployment "shop/idle" has no pods, and wants none: podvitals scale deployment/idle --replicas=1 -n shop',
    );
    expect(await message('cronjob', 'never')).toContain('as it is suspended');
    expect(await message('pizza', 'cart')).toContain('kind');
  });

  it('names near names for an unknown one, in other namespaces as well', async () => {
    expect((await get('/api/pods/shop/werker/why')).json().message).toContain('near: shop/worker');
    expect((await get('/api/pods/default/cart/why')).json().message).toContain('near: shop/cart');
    expect((await get(`/api/pods/shop/${'x'.repeat(254)}/why`)).code).toBe(400);
  });
});

describe('lives, logs and events', () => {
  it('lists lives newest first, each with its last words', async () => {
    const { items } = (await get('/api/pods/shop/cart-7b9c6d4f5-q8w2e/lives?limit=3')).json();
    expect(items.map((life: { attempt: number }) => life.attempt)).toEqual([6, 5, 4]);
    expect(items[0].log.at(-1).text).toBe('Node.js v24.21.0');
  });

  it('gives the tail of the last recorded life as plain text', async () => {
    const answer = await get('/api/pods/shop/cart-7b9c6d4f5-q8w2e/logs?previous=true&tail=2');
    expect(answer.type).toBe('text/plain; charset=utf-8');
    expect(answer.text).toBe('\nNode.js v24.21.0\n');
    expect((await get('/api/pods/shop/cart-7b9c6d4f5-q8w2e/logs?tail=0')).text).toBe('');
  });

  it('asks the agent for the lines of a living pod, where it can', async () => {
    logs = async (pod, container, { previous }) =>
      [`${pod.name} ${container} ${previous}`, 'last'].map((text, at) => ({ at, stream: 'stdout', text }));
    const path = '/api/pods/shop/worker-84c5d7f6b-j3n5r/logs';
    expect((await get(path)).text).toBe('worker-84c5d7f6b-j3n5r worker false\nlast\n');
    expect((await get(`${path}?tail=1`)).text).toBe('last\n');
  });

  it('names the containers there are when asked for another', async () => {
    const answer = await get('/api/pods/shop/cart-7b9c6d4f5-q8w2e/logs?container=nginx');
    expect(answer.json()).toMatchObject({ code: 400 });
    expect(answer.json().message).toContain('it has: cart');
  });

  it("lists a pod's events newest first", async () => {
    const { items } = (await get('/api/pods/shop/search-59f7b8d6c-v6b1y/events')).json();
    expect(items.map((event: { reason: string }) => event.reason)).toEqual([
      'Unhealthy',
      'Started',
      'Scheduled',
    ]);
  });
});
