import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { request } from 'node:http';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { readCgroupMounts } from '../src/agent/host/cgroup-hierarchy.ts';
import { findPart } from '../test/support/parts.ts';
import { BUSYBOX_IMAGE, noPodman, startPodman } from '../test/support/podman.ts';
import { temporaryFolder, whenStopped } from './parts/clean-up.ts';
import { percentile, printTable } from './parts/measure.ts';

/**
 * From the request for a pod or container to the first instruction of its process, one after another, engines taking turns:
 * podvitals by its control socket, Podman by its REST API and its command line, containerd by `ctr`. The process says
 * that it runs by a file in a folder that is mounted into it. Needs root.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '40' } } });
const rounds = Number(values.rounds);
const WARM_UP = 3;
const WITHIN_MS = 60_000;
const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

interface Starter {
  readonly name: string;
  /** Asks for a container that makes `file` in the mounted folder, then sleeps. */
  start(id: string, command: readonly string[]): Promise<unknown>;
  remove(id: string): Promise<unknown>;
  close(): Promise<unknown>;
}

function ask(socketPath: string, method: string, path: string, body?: unknown): Promise<string> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request({ socketPath, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () =>
        (response.statusCode ?? 500) < 400 ? resolve(text) : reject(new Error(`${path}: ${text}`)),
      );
    });
    asked.once('error', reject);
    asked.end(payload);
  });
}

async function until(what: string, isSo: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + WITHIN_MS;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > end) throw new Error(`${what}: not within ${WITHIN_MS / 1000} s`);
    await wait(100);
  }
}

async function podvitals(folder: string, signals: string): Promise<Starter> {
  const dataDir = join(folder, 'data');
  const args = ['agent', '--data-dir', dataDir, '--agent-listen', '127.0.0.1:0'];
  const agent = spawn(join(root, 'podvitals'), args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  const socket = join(dataDir, 'agent.sock');
  await until('the agent is ready', () => ask(socket, 'GET', '/api/v1/pods'));
  const manifest = (id: string, command: readonly string[]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: id, namespace: 'bench' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: 'host',
          command,
          resources: { limits: { memory: '64Mi' } },
          volumeMounts: [{ name: 'signals', mountPath: '/signals' }],
        },
      ],
      volumes: [{ name: 'signals', hostPath: { path: signals } }],
    },
  });
  return {
    name: 'podvitals',
    start: (id, command) =>
      ask(socket, 'POST', '/apply', {
        files: [{ path: join(folder, 'pod.yaml'), text: JSON.stringify(manifest(id, command)) }],
      }),
    remove: (id) => ask(socket, 'DELETE', `/api/v1/namespaces/bench/pods/${id}?wait=true`),
    close() {
      agent.kill('SIGINT');
      return ended;
    },
  };
}

async function podman(signals: string): Promise<readonly Starter[]> {
  const engine = await startPodman();
  const close = () => engine.remove();
  whenStopped(close);
  const remove = (id: string) => engine.podman('rm', '-f', '-t', '0', id);
  const api = (path: string, body?: unknown) => ask(engine.socket, 'POST', `/v4.0.0/libpod${path}`, body);
  return [
    {
      name: 'podman, REST',
      async start(id, command) {
        await api('/containers/create', {
          name: id,
          image: BUSYBOX_IMAGE,
          command,
          mounts: [{ destination: '/signals', source: signals, type: 'bind', options: ['rbind', 'rw'] }],
          resource_limits: { memory: { limit: 64 * 2 ** 20 } },
        });
        await api(`/containers/${id}/start`);
      },
      remove,
      close,
    },
    {
      name: 'podman run -d',
      start: (id, command) =>
        engine.podman(
          'run',
          '-d',
          ...['--name', id, '-m', '64m', '-v', `${signals}:/signals`],
          BUSYBOX_IMAGE,
          ...command,
        ),
      remove,
      close: async () => {},
    },
  ];
}

const CGROUP = 'podvitals-bench';

/** Without a network: `ctr` makes none, CNI would come on top. */
async function containerd(folder: string, signals: string): Promise<Starter> {
  const socket = join(folder, 'containerd.sock');
  const config = join(folder, 'containerd.toml');
  writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  const rootfs = join(folder, 'rootfs');
  for (const name of ['bin', 'proc', 'sys', 'dev', 'signals', 'tmp'])
    mkdirSync(join(rootfs, name), { recursive: true });
  await copyFile(findPart('busybox')!, join(rootfs, 'bin/busybox'));
  for (const name of ['sh', 'sleep']) symlinkSync('busybox', join(rootfs, 'bin', name));
  const flags = [
    '--config',
    config,
    '--root',
    join(folder, 'ctr-root'),
    '--state',
    join(folder, 'ctr-state'),
  ];
  const daemon = spawn(findPart('containerd')!, [...flags, '--address', socket], { stdio: 'ignore' });
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  const ctr = (...args: readonly string[]) => run(findPart('ctr')!, ['--address', socket, ...args]);
  await until('containerd is ready', () => ctr('version'));
  return {
    name: 'containerd, ctr run -d (no network)',
    start: (id, command) =>
      ctr(
        'run',
        ...['-d', '--rootfs', '--cgroup', `/${CGROUP}/${id}`, '--memory-limit', String(64 * 2 ** 20)],
        ...['--mount', `type=bind,src=${signals},dst=/signals,options=rbind:rw`],
        rootfs,
        id,
        ...command,
      ),
    async remove(id) {
      await ctr('task', 'rm', '-f', id);
      await ctr('container', 'rm', id);
    },
    async close() {
      daemon.kill('SIGTERM');
      await ended;
      for (const { mountPoint } of readCgroupMounts()) {
        try {
          rmdirSync(join(mountPoint, CGROUP));
        } catch {
          // Not in this hierarchy.
        }
      }
    },
  };
}

const folder = temporaryFolder();
const signals = join(folder.path, 'signals');
mkdirSync(signals, { mode: 0o777 });
const starters: Starter[] = [];
const arrivals = new Map<string, (at: number) => void>();
const watcher = watch(signals, (_, name) => arrivals.get(String(name))?.(performance.now()));

async function measure(starter: Starter, id: string): Promise<number> {
  const arrived = new Promise<number>((resolve, reject) => {
    arrivals.set(id, resolve);
    setTimeout(() => reject(new Error(`${starter.name}: ${id} never ran`)), WITHIN_MS).unref();
  });
  const asked = performance.now();
  const started = starter.start(id, ['/bin/sh', '-c', `: > /signals/${id}; exec sleep 1000`]);
  const forget = whenStopped(async () => {
    await Promise.resolve(started).catch(() => {});
    await starter.remove(id);
  });
  const [at] = await Promise.all([arrived, started]);
  arrivals.delete(id);
  await starter.remove(id);
  forget();
  return at - asked;
}

try {
  const add = (starter: Starter) => {
    whenStopped(() => starter.close());
    starters.push(starter);
  };
  add(await podvitals(folder.path, signals));
  if (noPodman()) console.error(`Podman is left out: ${noPodman()}`);
  else for (const starter of await podman(signals)) add(starter);
  if (['containerd', 'ctr', 'busybox'].every(findPart)) add(await containerd(folder.path, signals));
  else console.error('containerd is left out: it is not installed');
  const found = starters.map(() => [] as number[]);
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const [index, starter] of starters.entries()) {
      const ms = await measure(starter, `b${index}-${round + WARM_UP}`);
      if (round >= 0) found[index]!.push(ms);
    }
  }
  const at = (index: number, share: number) => percentile(found[index]!, share).toFixed(0);
  printTable(
    ['', 'p50 ms', 'p90 ms', 'p99 ms', 'p50 / podvitals'],
    starters.map(({ name }, index) => [
      name,
      at(index, 0.5),
      at(index, 0.9),
      at(index, 0.99),
      (percentile(found[index]!, 0.5) / percentile(found[0]!, 0.5)).toFixed(1),
    ]),
  );
  console.log(
    `\n${rounds} rounds, load ${loadavg()[0]!.toFixed(0)}, ${readFileSync('/proc/version', 'utf8').split(' ')[2]}`,
  );
} finally {
  watcher.close();
  for (const starter of starters) await starter.close();
  folder.remove();
}
process.exit(0);
