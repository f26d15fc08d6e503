import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifests } from '../../../src/agent/pod/manifest/parse-manifests.ts';
import { createPodManager, type PodManager } from '../../../src/agent/pod/pod-manager.ts';
import { createProcessRuntime } from '../../../src/agent/pod/runtime/process/process-runtime.ts';
import type { Runtime } from '../../../src/agent/pod/runtime/runtime.ts';
import type { Pod } from '../../../src/model/kubernetes.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { type Owner, removeDebris } from '../../support/debris.ts';
import { memoryKeyValue } from '../../support/memory-key-value.ts';
import { notRoot } from '../../support/parts.ts';
import { newOwner, until } from '../../support/process-pods.ts';

/** What manifests promise about files, seen from within containers. */
describe.skipIf(notRoot())('volumes and parts of real pods', () => {
  let owner: Owner;
  let folder: string;
  let runtime: Runtime;
  let manager: PodManager;

  beforeAll(async () => {
    owner = newOwner();
    folder = mkdtempSync(join(tmpdir(), 'podvitals-promises-'));
    runtime = await createProcessRuntime({ ...owner, clock: systemClock });
    manager = createPodManager({
      runtime,
      clock: systemClock,
      keyValue: memoryKeyValue(),
      node: { name: 'node-11', ip: '127.0.0.1', cpuCores: 2, memoryBytes: 2 ** 32, diskBytes: 2 ** 36 },
      random: Math.random,
    });
    await manager.start();
  });
  afterAll(async () => {
    try {
      await manager.stop({ deletePods: true });
    } finally {
      await removeDebris(owner);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const apply = (text: string) =>
    manager.apply(parseManifests([{ path: 'shop.yaml', text }]).objects, { folder });
  const podNamed = (start: string) =>
    (manager.list('Pod', 'shop') as readonly Pod[]).find(({ metadata }) => metadata.name.startsWith(start));
  const linesOf = async (start: string, attempt = 0) => {
    const pod = podNamed(start);
    if (!pod?.status.containerStatuses?.[0]?.containerID) return [];
    return (await runtime.logs(pod.metadata.uid, 'app', attempt, {})).map(({ text }) => text);
  };
  const line = (start: string, wanted: RegExp) =>
    until(`${start} says ${wanted}`, async () => (await linesOf(start)).find((text) => wanted.test(text)));
  const pod = (name: string, script: string, rest = '', container = '') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
${rest}
  containers:
    - name: app
      command: [sh, -c, '${script}']
${container}`;

  it('shows a running pod what its ConfigMap says now, all keys at once, by the kubelet’s links', async () => {
    const prices = (currency: string, rate: number) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: prices, namespace: shop}\ndata: {CURRENCY: ${currency}, RATE: "${rate}"}\n`;
    await apply(
      `${prices('EUR', 1)}---${pod(
        'reads',
        'readlink /conf/CURRENCY; while :; do d=$(readlink /conf/..data); echo $(cat /conf/$d/CURRENCY) $(cat /conf/$d/RATE); sleep 0.05; done',
        '  volumes: [{name: conf, configMap: {name: prices}}]',
        '      volumeMounts: [{name: conf, mountPath: /conf}]',
      )}`,
    );
    expect(await line('reads', /^\.\.data/)).toBe('..data/CURRENCY');
    await line('reads', /^EUR 1$/);
    await apply(prices('USD', 2));
    await line('reads', /^USD 2$/);
    // The folder that was replaced may go between two reads; what is read of one folder belongs together.
    const whole = (await linesOf('reads')).filter((text) => /^[A-Z]+ \d$/.test(text));
    expect([...new Set(whole)].sort()).toEqual(['EUR 1', 'USD 2']);
  });

  it('limits a memory volume to its size, and charges what is in it to the pod', async () => {
    await apply(
      pod(
        'keeps',
        'dd if=/dev/zero of=/cache/a bs=1M count=20 2>/dev/null; dd if=/dev/zero of=/cache/b bs=1M count=40 2>/dev/null || echo full; stat -f -c %T /cache; sleep 1000',
        '  volumes: [{name: cache, emptyDir: {medium: Memory, sizeLimit: 32Mi}}]',
        '      volumeMounts: [{name: cache, mountPath: /cache}]\n      resources: {limits: {memory: 128Mi}}',
      ),
    );
    await line('keeps', /^tmpfs$/);
    expect(await linesOf('keeps')).toEqual(['full', 'tmpfs']);
    const view = manager.view(podNamed('keeps')!.metadata.uid)!;
    const { memory, unified } = view.sandbox!.cgroup;
    const file =
      memory === undefined ? join(unified!, 'memory.current') : join(memory, 'memory.usage_in_bytes');
    expect(Number(readFileSync(file, 'utf8'))).toBeGreaterThan(31 * 2 ** 20);
  });

  it('gives the group of the pod to its volumes, and to what is made in them', async () => {
    await apply(
      pod(
        'groups',
        'echo x > /data/x; stat -c "%g %a" /data; stat -c "%u %g" /data/x; id -G',
        '  securityContext: {runAsUser: 1234, fsGroup: 4321}\n  volumes: [{name: data, emptyDir: {}}]',
        '      volumeMounts: [{name: data, mountPath: /data}]',
      ),
    );
    await line('groups', /4321$/);
    await until('its end', () => podNamed('groups')?.status.phase === 'Succeeded' || undefined);
    const [folderLine, fileLine, groups] = await linesOf('groups');
    expect([folderLine, fileLine]).toEqual(['4321 2777', '1234 4321']);
    expect(groups!.split(' ')).toContain('4321');
  });

  it('asks an httpGet hook of the container itself, before its end', async () => {
    writeFileSync(
      join(folder, 'hooked.mjs'),
      `import { createServer } from 'node:http';
createServer((request, response) => { console.log(request.url, request.headers.from); response.end(); }).listen(8080, () => console.log('listens'));
process.on('SIGTERM', () => { console.log('TERM'); process.exit(0); });`,
    );
    await apply(`
apiVersion: v1
kind: Pod
metadata: {name: hooked, namespace: shop}
spec:
  terminationGracePeriodSeconds: 20
  restartPolicy: Never
  containers:
    - name: app
      command: [node, hooked.mjs]
      ports: [{name: http, containerPort: 8080}]
      lifecycle: {preStop: {httpGet: {port: http, path: /bye, httpHeaders: [{name: From, value: hook}]}}}
`);
    await line('hooked', /^listens$/);
    await manager.control({ namespace: 'shop', name: 'hooked' }, 'stop');
    expect(await linesOf('hooked')).toEqual(['listens', '/bye hook', 'TERM']);
  });

  it('gives each pod of a StatefulSet a claim of its own that outlives it', async () => {
    const set = (replicas: number) => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  replicas: ${replicas}
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: db}}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: app
          command: [sh, -c, 'hostname >> /data/names; echo seen $(cat /data/names); exec sleep 1000']
          volumeMounts: [{name: data, mountPath: /data}]
`;
    await apply(set(2));
    expect(await line('db-0', /^seen/)).toBe('seen db-0');
    expect(await line('db-1', /^seen/)).toBe('seen db-1');
    await apply(set(0));
    await until('they are gone', () => podNamed('db-') === undefined || undefined);
    await apply(set(1));
    expect(await line('db-0', /^seen/)).toBe('seen db-0 db-0');
  });

  it('tells each pod of an indexed Job which part is its own', async () => {
    await apply(`
apiVersion: batch/v1
kind: Job
metadata: {name: parts, namespace: shop}
spec:
  completions: 2
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, command: [sh, -c, 'echo part $JOB_COMPLETION_INDEX on $(hostname)']}]
`);
    expect(await line('parts-0', /^part/)).toBe('part 0 on parts-0');
    expect(await line('parts-1', /^part/)).toBe('part 1 on parts-1');
    await until('its end', () => {
      const job = manager.get('Job', 'shop', 'parts');
      return job?.kind === 'Job' && job.status.completedIndexes === '0,1' ? true : undefined;
    });
  });
});
