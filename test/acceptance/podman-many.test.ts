import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUSYBOX_IMAGE, noPodman, startPodman, type TestPodman } from '../support/podman.ts';
import { freePorts, type Podvitals, startPodvitals, temporaryDataDir, until } from '../support/podvitals.ts';

interface Vector {
  readonly data: { readonly result: readonly { readonly value: [number, string] }[] };
}

/** Containers at once; what the suite samples, the whole is asked for by `PODVITALS_CONTAINERS=100`. */
const CONTAINERS = Number(process.env.PODVITALS_CONTAINERS ?? 12);
const A_POD = 10;
const PATIENCE_MS = 60_000 + CONTAINERS * 1000;
const HOOK_MS = 240_000 + CONTAINERS * 5000;

const podNames = Array.from({ length: Math.ceil(CONTAINERS / A_POD) }, (_, index) => `crowd-${index}`);
const sizeOf = (index: number) => Math.min(A_POD, CONTAINERS - index * A_POD);

const manifest = podNames.map((name, index) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: Array.from({ length: sizeOf(index) }, (_, number) => ({
      name: `c${number}`,
      image: BUSYBOX_IMAGE,
      command: ['sleep', '100000'],
      resources: { limits: { memory: '16Mi' } },
    })),
  },
}));

/** Cgroups of that Podman's containers in any hierarchy, by their ids. */
function cgroupsOf(ids: ReadonlySet<string>): readonly string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const roots = mounts.filter(([, , type = '']) => type.startsWith('cgroup')).map(([, path]) => path!);
  return roots.flatMap((root) => {
    const parent = join(root, 'libpod_parent');
    try {
      return readdirSync(parent, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isDirectory() && [...ids].some((id) => entry.name.includes(id)))
        .map((entry) => join(entry.parentPath, entry.name));
    } catch {
      return [];
    }
  });
}

describe.skipIf(noPodman())(`${CONTAINERS} containers at once, in real Podman`, () => {
  const dataDir = temporaryDataDir();
  const ids = new Set<string>();
  let podman: TestPodman;
  let podvitals: Podvitals;

  beforeAll(async () => {
    podman = await startPodman();
    podvitals = await startPodvitals({
      dataDir: dataDir.path,
      ports: await freePorts(),
      flags: ['--runtime', 'podman'],
      env: { CONTAINER_HOST: `unix://${podman.socket}` },
    });
  }, HOOK_MS);
  afterAll(async () => {
    await podvitals?.stop();
    await podman?.remove();
    dataDir.remove();
  }, HOOK_MS);

  const value = async (expression: string) => {
    const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
    return Number((await podvitals.json<Vector>(path)).data.result[0]?.value[1] ?? Number.NaN);
  };
  const idsOf = async (...args: readonly string[]) =>
    (await podman.podman(...args, '-q', '--no-trunc')).split('\n').filter((id) => id !== '');

  it(
    'are started',
    async () => {
      const file = join(dataDir.path, 'crowd.json');
      writeFileSync(file, manifest.map((pod) => JSON.stringify(pod)).join('\n---\n'));
      const applied = await podvitals.command('apply', '-f', file);
      expect(applied).toMatchObject({ code: 0, err: '' });
      await until('all run', PATIENCE_MS, async () => {
        return (await value('sum(kube_pod_container_status_running)')) === CONTAINERS;
      });
      for (const id of [...(await idsOf('ps', '-a')), ...(await idsOf('pod', 'ps'))]) ids.add(id);
      expect(ids.size).toBe(CONTAINERS + 2 * podNames.length);
    },
    PATIENCE_MS + 60_000,
  );

  it(
    'are measured, each',
    async () => {
      for (const name of ['container_memory_working_set_bytes', 'container_cpu_usage_seconds_total'])
        await until(name, PATIENCE_MS, async () => {
          return (await value(`count(${name}{container=~"c.+"})`)) === CONTAINERS;
        });
      expect(await value('sum(kube_pod_container_status_restarts_total)')).toBe(0);
    },
    PATIENCE_MS,
  );

  it(
    'each have their death told once, when all are killed at the same moment',
    async () => {
      const pids = await podman.podman('ps', '-q', '--format', '{{.Pid}}');
      for (const pid of pids.split('\n')) process.kill(Number(pid), 'SIGKILL');
      await until('all are there again', PATIENCE_MS, async () => {
        const [running, restarts] = [
          await value('sum(kube_pod_container_status_running)'),
          await value('sum(kube_pod_container_status_restarts_total)'),
        ];
        return running === CONTAINERS && restarts === CONTAINERS;
      });
      for (const name of podNames) {
        const path = `/api/pods/default/${name}/lives?limit=500`;
        const { items } = await podvitals.json<{ readonly items: readonly object[] }>(path);
        expect(items).toHaveLength(sizeOf(podNames.indexOf(name)));
        for (const life of items) expect(life).toMatchObject({ exitCode: 137, unrequested: true });
      }
    },
    PATIENCE_MS + 60_000,
  );

  it(
    'end, and leave nothing behind',
    async () => {
      for (const id of await idsOf('ps', '-a')) ids.add(id);
      expect(cgroupsOf(ids)).not.toEqual([]);
      const deleted = await podvitals.command('delete', 'pods', '--all', '--force');
      expect(deleted).toMatchObject({ code: 0, err: '' });
      // By force their objects go at once, what they held soon after.
      const left = async () => [
        ...(await idsOf('ps', '-a')),
        ...(await idsOf('pod', 'ps')),
        ...cgroupsOf(ids),
      ];
      await until('nothing is left', PATIENCE_MS, async () => {
        const what = await left();
        if (what.length > 0) throw new Error(`${what.length} things, ${what.slice(0, 3).join(', ')}`);
        return true;
      });
      expect((await podvitals.command('get', 'pods', '-A')).out).not.toContain('crowd');
    },
    PATIENCE_MS + 60_000,
  );
});
