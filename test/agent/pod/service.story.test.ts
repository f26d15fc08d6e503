// Source: https://kubernetes.io/docs/concepts/services-networking/service/, .../dns-pod-service/ and
// kubernetes/pkg/controller/endpoint/endpoints_controller.go
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ManifestObject } from '../../../src/agent/pod/manifest/manifest-object.ts';
import type { Endpoints, Service } from '../../../src/model/kubernetes-service.ts';
import { container, createStory, deployment, pod, type Story } from './harness.ts';

let story: Story;
afterEach(() => story.end());

const readinessProbe = { exec: { command: ['true'] }, initialDelaySeconds: 2, periodSeconds: 1 };
const web = (replicas: number) =>
  deployment(replicas, {
    containers: [container('app', { readinessProbe, ports: [{ name: 'http', containerPort: 8080 }] })],
  });
const service = (spec: Partial<Service['spec']> = {}): Extract<ManifestObject, { kind: 'Service' }> => ({
  file: 'shop.yaml',
  kind: 'Service',
  metadata: { name: 'front', namespace: 'shop' },
  spec: {
    type: 'ClusterIP',
    selector: { 'app.kubernetes.io/name': 'web' },
    ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }],
    ...spec,
  },
});
/** By the pods' own port: its name stands for them. */
const direct = () => service({ ports: [{ port: 8080 }] });
const client = (namespace: string) => ({ ...pod({}, 'client'), metadata: { name: 'client', namespace } });
const endpoints = () => story.manager.get('Endpoints', 'shop', 'front') as Endpoints;
const ips = () =>
  endpoints()
    .subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip))
    .sort();
const webIps = () =>
  story.manager
    .views()
    .pods.filter(({ ref }) => ref.workload === 'web')
    .map(({ object }) => object.status.podIP ?? '')
    .sort();

/** Names that a pod finds in its /etc/hosts, each with its addresses. */
function hostsOf(namespace: string, name: string): ReadonlyMap<string, readonly string[]> {
  const { uid } = story.manager
    .views()
    .pods.find(({ ref }) => ref.namespace === namespace && ref.name === name)!.ref;
  const text = readFileSync(join(story.runtime.podDirectory(uid), 'files/hosts'), 'utf8');
  const found = new Map<string, string[]>();
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
    const [ip, ...names] = line.split(/\s+/) as [string, ...string[]];
    for (const word of names) found.set(word, [...(found.get(word) ?? []), ip].sort());
  }
  return found;
}

describe('a Service', () => {
  it('stands for the ready pods it selects, by the port each of them has under that name', async () => {
    story = await createStory();
    await story.apply(service(), web(2));
    await story.advance(1);
    expect(ips()).toEqual([]);
    expect(endpoints().subsets[0]?.notReadyAddresses).toHaveLength(2);
    await story.advance(5);
    expect(ips()).toEqual(webIps());
    expect(ips()).toHaveLength(2);
    expect(endpoints().subsets[0]).toMatchObject({
      ports: [{ port: 8080, protocol: 'TCP' }],
      addresses: [{ nodeName: 'node-11', targetRef: { kind: 'Pod', namespace: 'shop' } }, {}],
    });
  });

  const address = () => (story.manager.get('Service', 'shop', 'front') as Service).spec.clusterIP!;

  it('whose port is not that of its pods has an address, which leads to the ready ones by their own port', async () => {
    story = await createStory();
    await story.apply(service(), web(2), client('shop'));
    await story.advance(1);
    expect(hostsOf('shop', 'client').get('front')).toEqual([address()]);
    expect(story.runtime.leadsTo(address(), 80)).toBeUndefined();
    await story.advance(5);
    expect(story.runtime.leadsTo(address(), 80)).toEqual(webIps().map((ip) => `${ip}:8080`));
    const before = address();
    await story.sigkill(5);
    await story.apply(web(1));
    await story.advance(40);
    expect(address()).toBe(before);
    expect(story.runtime.leadsTo(address(), 80)).toEqual(webIps().map((ip) => `${ip}:8080`));
  });

  it('whose port is that of its pods, and a headless one, is these pods', async () => {
    story = await createStory();
    const headless = service({ clusterIP: 'None' });
    await story.apply(
      headless,
      { ...direct(), metadata: { name: 'direct', namespace: 'shop' } },
      web(2),
      client('shop'),
    );
    await story.advance(5);
    expect(hostsOf('shop', 'client').get('front')).toEqual(webIps());
    expect(hostsOf('shop', 'client').get('direct')).toEqual(webIps());
    expect(address()).toBe('None');
  });

  it('is its pods where the runtime gives no addresses', async () => {
    story = await createStory({ podIps: false });
    await story.apply(service(), web(1), client('shop'));
    await story.advance(5);
    expect(address()).toBe('None');
  });

  it('has names that pods resolve, shorter ones in its own namespace', async () => {
    story = await createStory();
    await story.apply(service(), web(2), client('shop'), client('other'));
    await story.advance(5);
    for (const name of ['front', 'front.shop', 'front.shop.svc', 'front.shop.svc.cluster.local'])
      expect(hostsOf('shop', 'client').get(name)).toEqual([address()]);
    expect(hostsOf('other', 'client').get('front.shop')).toEqual([address()]);
    expect(hostsOf('other', 'client').has('front')).toBe(false);
  });

  it('follows its pods: one that is not ready, is deleted or comes anew', async () => {
    story = await createStory({ lives: { app: () => ({ stopMs: 1000 }) } });
    await story.apply(direct(), web(2), client('shop'));
    await story.advance(5);
    const before = webIps();
    const gone = story.manager.views().pods.find(({ ref }) => ref.workload === 'web')!;
    story.manager.delete({
      kind: 'Pod',
      namespace: 'shop',
      name: gone.ref.name,
      request: { by: 'user', message: '' },
    });
    await story.advance(0.1);
    expect(hostsOf('shop', 'client').get('front')).toEqual(
      before.filter((ip) => ip !== gone.object.status.podIP),
    );
    await story.advance(5);
    expect(hostsOf('shop', 'client').get('front')).toEqual(webIps());
    expect(webIps()).not.toEqual(before);
  });

  it('that is deleted is no name any more', async () => {
    story = await createStory();
    await story.apply(service(), web(1), client('shop'));
    await story.advance(5);
    expect(hostsOf('shop', 'client').has('front')).toBe(true);
    story.manager.delete({
      kind: 'Service',
      namespace: 'shop',
      name: 'front',
      request: { by: 'user', message: '' },
    });
    await story.advance(1);
    expect(hostsOf('shop', 'client').has('front')).toBe(false);
    expect(story.manager.list('Endpoints')).toEqual([]);
  });

  it('gives pods of a StatefulSet names of their own below its own', async () => {
    story = await createStory();
    const { spec } = web(2);
    const set: ManifestObject = {
      file: 'shop.yaml',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'shop' },
      spec: { ...spec, serviceName: 'front', podManagementPolicy: 'Parallel' } as Extract<
        ManifestObject,
        { kind: 'StatefulSet' }
      >['spec'],
    };
    await story.apply(service({ clusterIP: 'None' }), set, client('shop'));
    await story.advance(5);
    const second = story.manager.views().pods.find(({ ref }) => ref.name === 'db-1')!.object.status.podIP;
    expect(hostsOf('shop', 'client').get('db-1.front')).toEqual([second]);
    expect(hostsOf('shop', 'client').get('db-1.front.shop.svc.cluster.local')).toEqual([second]);
  });

  it('that publishes addresses that are not ready does', async () => {
    story = await createStory();
    await story.apply(service({ publishNotReadyAddresses: true }), web(1));
    await story.advance(1);
    expect(ips()).toEqual(webIps());
  });

  it('names what its pods belong to, else part-of does, else the workload', async () => {
    story = await createStory();
    const labelled = {
      ...pod(),
      metadata: { ...pod().metadata, labels: { 'app.kubernetes.io/part-of': 'shop' } },
    };
    await story.apply(service(), web(1), labelled, client('shop'));
    await story.advance(5);
    const services = story.manager.views().workloads.map(({ name, service: of }) => `${name} ${of}`);
    expect(services.sort()).toEqual(['cart shop', 'client client', 'web front']);
  });

  it('is known to pods that an earlier agent left', async () => {
    story = await createStory();
    await story.apply(direct(), web(1), client('shop'));
    await story.advance(5);
    await story.sigkill(10);
    await story.apply(web(2));
    await story.advance(10);
    expect(hostsOf('shop', 'client').get('front')).toEqual(webIps());
    expect(webIps()).toHaveLength(2);
  });
});
