import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A ring buffer of kernel events of our own. Other users of tracing see and lose nothing. */
export interface TraceInstance {
  /** A file of the instance, as a path that is good as long as it is open. */
  readonly file: (name: string) => string;
  close(): void;
}

const PLACES = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'] as const;
const MOUNT_WAIT_MS = 2000;
const PREFIX = 'podvitals';
let made = 0;

/** The kernel's tracing folder as a descriptor; undefined: none, or not ours to read (no root). */
export async function openTracefs(): Promise<number | undefined> {
  const mounted = PLACES.find((place) => isFolder(`${place}/instances`));
  return mounted === undefined ? mountPrivately(PLACES[0]) : openFolder(mounted);
}

// Not mounted on this host: mounted where nobody else sees it, in a mount namespace that ends with its last descriptor.
async function mountPrivately(place: string): Promise<number | undefined> {
  if (!existsSync(place) || process.getuid?.() !== 0) return undefined;
  const script = 'mount -t tracefs tracefs "$0" && echo mounted && exec cat';
  const helper = spawn('unshare', ['--mount', 'sh', '-c', script, place], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
  });
  helper.stdin.on('error', () => undefined);
  try {
    const failed = once(helper, 'close').then(() => undefined);
    const answer = await Promise.race([
      once(helper.stdout, 'data').then(() => 'mounted'),
      failed,
      sleep(MOUNT_WAIT_MS, undefined, { ref: false }),
    ]);
    return answer === undefined ? undefined : openFolder(`/proc/${helper.pid}/root${place}`);
  } catch {
    return undefined;
  } finally {
    helper.stdin.end();
  }
}

function openFolder(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * An instance with these settings written, in order: file to text. Takes over the descriptor. Undefined where the
 * kernel refuses one of them. Those that agents left behind which are gone are cleared away first.
 */
export function openTraceInstance(
  tracefs: number,
  settings: Readonly<Record<string, string>>,
): TraceInstance | undefined {
  const instances = `/proc/self/fd/${tracefs}/instances`;
  made += 1;
  const folder = `${instances}/${PREFIX}-${process.pid}-${made}`;
  const close = () => {
    removeFolder(folder);
    closeSync(tracefs);
  };
  try {
    clearLeft(instances);
    mkdirSync(folder);
    for (const [file, text] of Object.entries(settings)) writeFileSync(`${folder}/${file}`, text);
  } catch {
    close();
    return undefined;
  }
  return { file: (name) => `${folder}/${name}`, close };
}

function clearLeft(instances: string): void {
  for (const name of readdirSync(instances)) {
    const pid = new RegExp(`^${PREFIX}-(\\d{1,10})-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeFolder(`${instances}/${name}`);
  }
}

function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Never made, or another clears it, too.
  }
}
