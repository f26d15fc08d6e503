import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const PARTS =
  process.env.PODVITALS_PARTS ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'podvitals', 'parts');

/** Whether a missing part is a failure (CI) rather than a skip (a laptop). */
export const requireAll = process.env.PODVITALS_REQUIRE === 'all';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Path of a real part (`promtool`, `prometheus`, `victoria-metrics`, `chromium`, `ip`, …), or undefined. */
export function findPart(name: string): string | undefined {
  const folders = [
    join(PARTS, 'bin'),
    ...(process.env.PATH ?? '').split(':'),
    '/usr/bin',
    '/usr/sbin',
    '/sbin',
  ];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * For `describe.skipIf(missing(...))`: the reason to skip, or false. With `PODVITALS_REQUIRE=all` a missing part
 * throws, so that CI fails instead of skipping.
 */
export function missing(...names: readonly string[]): string | false {
  const absent = names.filter((name) => findPart(name) === undefined);
  if (absent.length === 0) return false;
  const reason = `not installed: ${absent.join(', ')} (.ci/parts installs them)`;
  if (requireAll) throw new Error(reason);
  return reason;
}

/** Real pods need root and Linux; the reason to skip, or false. */
export function notRoot(): string | false {
  if (process.platform === 'linux' && process.getuid?.() === 0) return false;
  if (requireAll) throw new Error('these tests need root on Linux');
  return 'needs root on Linux';
}

/** Cases others wrote, outside the repository. Unset is a skip even in CI. */
export const fixtures: string | undefined = process.env.PODVITALS_FIXTURES;
