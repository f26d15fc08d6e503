import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../../util/coded-error.ts';

const NAMES = [
  'bash',
  'cat',
  'chronyc',
  'chown',
  'cp',
  'dd',
  'env',
  'ip',
  'mkdir',
  'mount',
  'nsenter',
  'pivot_root',
  'rm',
  'readlink',
  'rmdir',
  'script',
  'setpriv',
  'setsid',
  'sh',
  'sleep',
  'stty',
  'systemd-run',
  'timedatectl',
  'umount',
  'unshare',
] as const;

/** The host's tools: a shell, coreutils, util-linux, iproute2, systemd. */
export type ToolName = (typeof NAMES)[number];

/** Absolute paths. */
export type Tools = Readonly<Partial<Record<ToolName, string>>>;

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/local/sbin'];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Finds each tool once, system folders before PATH, so that a pod's or a user's PATH never decides what a root
 * agent runs. A tool that is not installed is absent.
 */
export function findTools(path = process.env.PATH ?? ''): Tools {
  const folders = [...FOLDERS, ...path.split(':').filter((folder) => folder.startsWith('/'))];
  const found: Partial<Record<ToolName, string>> = {};
  for (const name of NAMES) {
    const tool = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (tool !== undefined) found[name] = tool;
  }
  return Object.freeze(found);
}

/** The path of a tool nothing works without. @throws TOOL_MISSING naming the tool and its usual package. */
export function needTool(tools: Tools, name: ToolName): string {
  const path = tools[name];
  if (path === undefined) {
    throw new CodedError(
      'TOOL_MISSING',
      `the program "${name}" was not found in ${FOLDERS.join(', ')} nor on PATH; install coreutils and util-linux`,
    );
  }
  return path;
}
