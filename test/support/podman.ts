import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { copyFile, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { findPart, missing, notRoot } from './parts.ts';

/** An image with busybox as `/bin/sh` and all its applets on the PATH. */
export const BUSYBOX_IMAGE = 'localhost/bb:1';

/** A Podman of its own, without a registry: storage, network, containers.conf and API service in a temp folder. */
export interface TestPodman {
  readonly folder: string;
  /** Where its API listens while the service runs. */
  readonly socket: string;
  /** Runs the command line on the same storage; gives its output, rejects with what it complained of. */
  podman(...args: readonly string[]): Promise<string>;
  servicePid(): number;
  /** Starts the API service, also again. */
  startService(): Promise<void>;
  /** Ends the service by SIGKILL, as a crash would; containers go on. */
  killService(): Promise<void>;
  /** Ends and removes all of it; also when a test fails. */
  remove(): Promise<void>;
}

/** For `describe.skipIf`: why real Podman cannot run here, or false. */
export const noPodman = (): string | false =>
  notRoot() || missing('podman', 'runc', 'conmon', 'iptables', 'busybox', 'tar', 'ip');

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/podman';
const COMMAND_WITHIN_MS = 120_000;
const SERVICE_WITHIN_MS = 60_000;

/** With the service running and the image there. `moreEnv`: of every command and of the service. */
export async function startPodman(moreEnv: Readonly<Record<string, string>> = {}): Promise<TestPodman> {
  const folder = mkdtempSync(join(tmpdir(), 'podvitals-podman-'));
  const socket = join(folder, 'podman.sock');
  const bridge = `pvp${randomBytes(4).toString('hex')}`;
  const flags = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
  const env = { PATH, HOME: folder, CONTAINERS_CONF: join(folder, 'containers.conf'), ...moreEnv };
  let service: ChildProcess | undefined;

  const podman = async (...args: readonly string[]) => {
    const options = {
      cwd: folder,
      env,
      timeout: COMMAND_WITHIN_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 26,
    } as const;
    const { stdout } = await promisify(execFile)(findPart('podman')!, [...flags, ...args], options);
    return stdout.trimEnd();
  };
  const killService = async () => {
    if (service === undefined || service.exitCode !== null || service.signalCode !== null) return;
    service.kill('SIGKILL');
    await once(service, 'exit');
  };
  const startService = async () => {
    const log = openSync(join(folder, 'service.log'), 'a');
    service = spawn(findPart('podman')!, [...flags, 'system', 'service', '--time=0', `unix://${socket}`], {
      // Where conmon leaves a file when a container was killed for its memory.
      cwd: folder,
      env,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await eventually(() => listens(socket), SERVICE_WITHIN_MS);
  };
  const remove = async () => {
    for (const all of [
      ['pod', 'rm', '-f', '-a', '-t', '0'],
      ['rm', '-f', '-a', '-t', '0'],
    ])
      await podman(...all).catch(() => undefined);
    await killService();
    await sweep(folder, bridge);
  };

  try {
    await configure(folder, bridge);
    await podman(
      ...['import', '-q', '-c', `ENV PATH=${PATH}`, '-c', 'CMD ["sh"]'],
      ...(await busyboxImage(folder)),
    );
    await startService();
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, socket, podman, servicePid: () => service!.pid!, startService, killService, remove };
}

async function configure(folder: string, bridge: string): Promise<void> {
  const wrapper = join(folder, 'runc-without-rlimits');
  const networks = join(folder, 'networks');
  mkdirSync(networks);
  await writeFile(wrapper, RUNC_WITHOUT_RLIMITS, { mode: 0o755 });
  // Locks in files: those in shared memory are the whole host's, and another Podman would free them.
  await writeFile(
    join(folder, 'containers.conf'),
    `[engine]
runtime = "runc-without-rlimits"
cgroup_manager = "cgroupfs"
events_logger = "file"
exit_command_delay = 1
lock_type = "file"
tmp_dir = "${join(folder, 'tmp')}"
volume_path = "${join(folder, 'volumes')}"
[engine.runtimes]
runc-without-rlimits = ["${wrapper}"]
[network]
network_config_dir = "${networks}"
`,
  );
  const [b, c] = randomBytes(2);
  const subnet = `10.${128 + (b! % 127)}.${c}`;
  await writeFile(
    join(networks, 'podman.json'),
    JSON.stringify({
      name: 'podman',
      id: '2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9',
      driver: 'bridge',
      network_interface: bridge,
      created: '2026-01-01T00:00:00Z',
      subnets: [{ subnet: `${subnet}.0/24`, gateway: `${subnet}.1` }],
      ipv6_enabled: false,
      internal: false,
      dns_enabled: false,
      ipam_options: { driver: 'host-local' },
    }),
  );
}

// Podman's API asks for limits above what a host without CAP_SYS_RESOURCE allows: they are left out of the bundle's
// configuration (create, run) or of the process given (exec).
const RUNC_WITHOUT_RLIMITS = `#!/bin/sh
verb= file= before=
for word; do
  case $word in create|run|exec) [ -n "$verb" ] || verb=$word ;; esac
  case $word in --bundle=*) file=\${word#*=}/config.json ;; --process=*) file=\${word#*=} ;; esac
  case $before in --bundle|-b) file=$word/config.json ;; --process|-p) file=$word ;; esac
  before=$word
done
if [ -n "$verb" ] && [ -f "$file" ]; then
  sed -i -e 's/"rlimits":\\[[^]]*\\],//' -e 's/,"rlimits":\\[[^]]*\\]//' "$file"
fi
exec runc "$@"
`;

/** The arguments of `podman import` for the busybox image. */
export async function busyboxImage(folder: string): Promise<readonly [file: string, name: string]> {
  const root = join(folder, 'image');
  const bin = join(root, 'bin');
  for (const path of ['bin', 'etc', 'tmp']) mkdirSync(join(root, path), { recursive: true });
  await copyFile(findPart('busybox')!, join(bin, 'busybox'));
  const applets = spawnSync(findPart('busybox')!, ['--list'], { encoding: 'utf8' }).stdout.split('\n');
  for (const applet of applets)
    if (applet !== '' && applet !== 'busybox') await symlink('busybox', join(bin, applet));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n');
  const tar = join(folder, 'image.tar');
  await promisify(execFile)(findPart('tar')!, ['-C', root, '-cf', tar, '.']);
  return [tar, BUSYBOX_IMAGE];
}

const listens = (socket: string) =>
  new Promise<boolean>((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => resolve(true));
    connection.once('error', () => resolve(false));
    connection.once('close', () => connection.destroy());
    connection.once('connect', () => connection.destroy());
  });

const read = (path: string) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** What `podman rm` could not: processes of this folder and their children, mounts, the bridge, the files. */
async function sweep(folder: string, bridge: string): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    const left = processesOf(folder);
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone meanwhile.
      }
    }
    if (left.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const mounts = read('/proc/self/mountinfo')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
  for (const path of mounts) spawnSync('umount', ['-l', path]);
  if (read(`/sys/class/net/${bridge}/address`) !== '') spawnSync(findPart('ip')!, ['link', 'del', bridge]);
  rmSync(folder, { recursive: true, force: true });
}

function processesOf(folder: string): readonly number[] {
  const parents = new Map<number, number>();
  const own = new Set<number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stat = read(`/proc/${pid}/stat`);
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === undefined || state === 'Z' || state === 'X') continue;
    parents.set(pid, Number(parent));
    if (read(`/proc/${pid}/cmdline`).includes(folder)) own.add(pid);
  }
  const isOwn = (pid: number): boolean => own.has(pid) || (parents.has(pid) && isOwn(parents.get(pid)!));
  return [...parents.keys()].filter(isOwn);
}
