import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { findPart, missing } from './parts.ts';
import { busyboxImage, noPodman } from './podman.ts';

/** A Podman of a user who is not root, and that user: both made for one test. */
export interface RootlessPodman {
  readonly user: string;
  readonly uid: number;
  /** As `/run` of a host: the user's socket lies below `user/<uid>`. */
  readonly run: string;
  readonly socket: string;
  /** Runs the command line as that user. */
  podman(...args: readonly string[]): Promise<string>;
  /** Ends the user's processes, and removes the user; also when a test fails. */
  remove(): Promise<void>;
}

/** For `describe.skipIf`: why a rootless Podman cannot run here, or false. */
export const noRootlessPodman = (): string | false =>
  noPodman() || missing('useradd', 'userdel', 'newuidmap', 'setpriv');

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/podman';

/**
 * With the service running and the busybox image there. Storage copies files (`vfs`), and networks are not asked for:
 * a rootless network needs /dev/net/tun for everybody.
 */
export async function startRootlessPodman(): Promise<RootlessPodman> {
  // Podman refuses a run folder whose path is longer than 50 characters.
  const folder = mkdtempSync('/tmp/pvr-');
  chmodSync(folder, 0o755);
  const user = `pv${randomBytes(4).toString('hex')}`;
  const home = join(folder, 'home');
  const run = join(folder, 'run');
  let uid = 0;
  let service: ChildProcess | undefined;

  const remove = async () => {
    service?.kill('SIGKILL');
    if (uid !== 0) {
      await eventually(() => {
        for (const pid of processesOf(uid)) kill(pid);
        return processesOf(uid).length === 0;
      }, 30_000).catch(() => {});
      spawnSync(findPart('userdel')!, [user]);
    }
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    const added = spawnSync(findPart('useradd')!, ['-M', '-d', home, '-s', '/bin/sh', user], {
      encoding: 'utf8',
    });
    if (added.status !== 0) throw new Error(`useradd: ${added.stderr}`);
    uid = Number(spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout);
    const runtimeDir = join(run, 'user', String(uid));
    const socket = join(runtimeDir, 'podman/podman.sock');
    for (const path of [home, runtimeDir, join(runtimeDir, 'podman')]) {
      mkdirSync(path, { recursive: true });
      chownSync(path, uid, uid);
    }
    chmodSync(runtimeDir, 0o700);
    const conf = join(folder, 'containers.conf');
    writeFileSync(
      conf,
      '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nlock_type = "file"\n',
    );
    const [file, name] = await busyboxImage(folder);
    const become = ['--reuid', user, '--regid', user, '--init-groups', '--reset-env', 'env'];
    const env = [`PATH=${PATH}`, `HOME=${home}`, `XDG_RUNTIME_DIR=${runtimeDir}`, `CONTAINERS_CONF=${conf}`];
    const command = [...become, ...env, findPart('podman')!, '--storage-driver', 'vfs'];
    const podman = async (...args: readonly string[]) => {
      const options = { cwd: home, timeout: 120_000, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 } as const;
      const { stdout } = await promisify(execFile)(findPart('setpriv')!, [...command, ...args], options);
      return stdout.trimEnd();
    };
    await podman('import', '-q', '-c', `ENV PATH=${PATH}`, '-c', 'CMD ["sh"]', file, name);
    const log = openSync(join(folder, 'service.log'), 'a');
    service = spawn(findPart('setpriv')!, [...command, 'system', 'service', '--time=0', `unix://${socket}`], {
      cwd: home,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const ended = once(service, 'exit').then(() => {
      throw new Error(`podman system service: ${readFileSync(join(folder, 'service.log'), 'utf8')}`);
    });
    await Promise.race([eventually(() => isSocket(socket), 60_000), ended]);
    ended.catch(() => {});
    return { user, uid, run, socket, podman, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}

/** Those of the user, and those in its containers: their user is one of the user's, and their ancestor the user's. */
function processesOf(uid: number): readonly number[] {
  const parents = new Map<number, number>();
  const own = new Set<number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (/^State:\s+[ZX]/m.test(status)) continue;
      parents.set(pid, Number(/^PPid:\s+(\d+)/m.exec(status)![1]));
      if (Number(/^Uid:\s+(\d+)/m.exec(status)![1]) === uid) own.add(pid);
    } catch {
      // Gone meanwhile.
    }
  }
  const isOwn = (pid: number): boolean => own.has(pid) || (parents.has(pid) && isOwn(parents.get(pid)!));
  return [...parents.keys()].filter(isOwn);
}
