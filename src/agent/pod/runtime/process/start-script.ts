import { dirname } from 'node:path';
import type { Mount } from '../runtime.ts';
import { type Environment, execLines } from './environment.ts';
import { quote, quoteAll } from './shell.ts';

/** Where the host's root waits inside the container until its mounts are made. */
export const OLD_ROOT = '/.podvitals';

/** An option of mount that makes the folder to mount on. */
const MAKE_TARGET = 'X-mount.mkdir';

/** Before all others: they are looked at through it. */
export const procEntry: TableEntry = {
  source: 'proc',
  target: '/proc',
  type: 'proc',
  options: 'nosuid,nodev,noexec',
};

export interface StartScriptTools {
  readonly env: string;
  readonly mkdir: string;
  readonly mount: string;
  readonly pivotRoot: string;
  readonly readlink: string;
  readonly rm: string;
  readonly rmdir: string;
  readonly umount: string;
}

/**
 * One file system of the container's mount table; `file` targets are files, so a file must be there to mount on.
 * `checked` sources lie where containers can change them: they are opened, looked at again, and mounted as opened.
 */
export interface TableEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
  readonly file?: boolean;
  readonly checked?: boolean;
}

const escapeField = (field: string) =>
  field.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);

/** In the form of fstab(5): one `mount --all` makes them all, the second, read-only remount of a bind included. */
export function printMountTable(entries: readonly TableEntry[]): string {
  return entries
    .map(({ source, target, type, options }) =>
      [escapeField(source), escapeField(target), type, options, '0', '0'].join(' '),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** A bind from the host, named as it is seen while the old root still hangs in the new one. */
export function bindEntry(mount: Mount & { readonly file?: boolean }): TableEntry {
  return {
    ...(mount.within === undefined ? {} : { checked: true }),
    source: `${OLD_ROOT}${mount.source}`,
    target: mount.target,
    type: 'none',
    // A read-only bind is made by a second remount, which takes in no mounts below it: so no rbind.
    options: `${mount.readOnly ? 'bind,ro' : 'rbind'}${mount.file === false ? `,${MAKE_TARGET}` : ''}`,
    ...(mount.file === undefined ? {} : { file: mount.file }),
  };
}

export interface StartPlan {
  readonly tools: StartScriptTools;
  readonly folder: string;
  readonly command: readonly string[];
  readonly environment: Environment;
  readonly workingDir: string;
  /** The container's own root and mounts; absent: the host's root as it is. */
  readonly root?: {
    readonly upper: 'disk' | 'memory';
    /** What else is mounted on the host: as far as it is still there when the container starts. */
    readonly hostMounts: readonly TableEntry[];
    readonly table: readonly TableEntry[];
    readonly readOnly: boolean;
  };
  /** Words before the command that leave it only what it may have; and whose its output is then. */
  readonly restrict?: readonly string[];
  readonly chown?: { readonly tool: string; readonly owner: string };
}

/** Says on descriptor 3 why the container cannot start. */
const FAIL = `fail() { echo "error $*" >&3; exit 125; }`;

/** Finds the command as execvp would, so that a missing one is told before, not after, the container "runs". */
const RESOLVE = `resolve() {
  case $1 in
  */*)
    [ -e "$1" ] || fail "exec: \\"$1\\": stat $1: no such file or directory"
    [ -d "$1" ] && fail "exec: \\"$1\\": is a directory"
    [ -x "$1" ] || fail "exec: \\"$1\\": permission denied" ;;
  *)
    name=$1; rest=$2:
    while [ -n "$rest" ]; do
      [ -f "\${rest%%:*}/$name" ] && [ -x "\${rest%%:*}/$name" ] && return
      rest=\${rest#*:}
    done
    fail "exec: \\"$name\\": executable file not found in \\$PATH" ;;
  esac
}`;

function overlayLines(plan: StartPlan, upper: 'disk' | 'memory'): readonly string[] {
  const mount = quote(plan.tools.mount);
  const mkdir = quote(plan.tools.mkdir);
  return [
    // Relative paths, because a comma or colon in the data directory would be read as an option.
    `cd ${quote(plan.folder)} || fail 'the container folder is gone'`,
    ...(upper === 'memory'
      ? [
          `${mount} -t tmpfs -o mode=700 tmpfs memory && ${mkdir} memory/upper memory/work memory/upper${OLD_ROOT} || fail 'no memory for the root file system'`,
          `cd memory`,
          `${mount} -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work ../root || fail 'the overlay over / could not be mounted'`,
          `cd ../root`,
        ]
      : [
          `${mount} -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root || fail 'the overlay over / could not be mounted'`,
          `cd root`,
        ]),
    `${quote(plan.tools.pivotRoot)} . .${OLD_ROOT} || fail 'pivot_root failed'`,
    'cd /',
  ];
}

/** Targets are made inside the new root, where a symbolic link cannot lead out to the host; folders often by mount itself. */
function targetLines(
  plan: StartPlan,
  table: readonly TableEntry[],
  more: readonly string[],
  otherwise: string,
): readonly string[] {
  const made = ({ options }: TableEntry) => options.split(',').includes(MAKE_TARGET);
  const folders = table
    .filter((entry) => !made(entry))
    .map((entry) => (entry.file ? dirname(entry.target) : entry.target));
  const files = table.filter((entry) => entry.file).map((entry) => entry.target);
  const all = [...new Set([...folders, ...more])];
  const there = all.map((folder) => `[ -d ${quote(folder)} ]`).join(' && ');
  return [
    ...(all.length === 0
      ? []
      : [`${there} || ${quote(plan.tools.mkdir)} -p ${quoteAll(all)} || ${otherwise}`]),
    // A link that leads nowhere gives way to a file; it is the container's own copy.
    ...files.map(
      (file) =>
        `[ -e ${quote(file)} ] || : > ${quote(file)} || { ${quote(plan.tools.rm)} -f ${quote(file)} && : > ${quote(file)}; } || ${otherwise}`,
    ),
  ];
}

/** Tables that one `mount --all` makes, and between them, in their order, the entries that must be looked at again. */
export function mountSteps(table: readonly TableEntry[]): readonly (TableEntry | readonly TableEntry[])[] {
  const steps: (TableEntry | TableEntry[])[] = [];
  for (const entry of table) {
    const last = steps.at(-1);
    if (entry.checked) steps.push(entry);
    else if (Array.isArray(last)) last.push(entry);
    else steps.push([entry]);
  }
  return steps;
}

export const tableName = (step: number) => `mounts-${step}`;

/** A link put in place of the source meanwhile would show: the descriptor holds what is mounted, and knows its path. */
function checkedLines(plan: StartPlan, { source, target, options }: TableEntry): readonly string[] {
  const [mount, mkdir, readlink] = [plan.tools.mount, plan.tools.mkdir, plan.tools.readlink].map(quote);
  const [from, to] = [quote(source), quote(target)];
  const readOnly = options.split(',').includes('ro');
  return [
    `exec 7< ${from} || fail 'a subPath could not be opened'`,
    `[ "$(${readlink} /proc/self/fd/7)" = ${from} ] || fail 'a subPath leads out of its volume'`,
    `if [ -d /proc/self/fd/7 ]; then ${mkdir} -p ${to}; else ${mkdir} -p ${quote(dirname(target))}; [ -e ${to} ] || : > ${to}; fi`,
    `${mount} --no-canonicalize --bind /proc/self/fd/7 ${to} || fail 'a subPath could not be mounted'`,
    ...(readOnly
      ? [`${mount} -o remount,bind,ro ${to} || fail 'a subPath could not be made read-only'`]
      : []),
    'exec 7<&-',
  ];
}

function mountLines(plan: StartPlan, root: NonNullable<StartPlan['root']>): readonly string[] {
  const { hostMounts } = root;
  const mount = quote(plan.tools.mount);
  const all = (file: string) => `${mount} --all --fstab ${quote(`${OLD_ROOT}${plan.folder}/${file}`)}`;
  const table = root.table.filter((entry) => !entry.checked);
  const steps = mountSteps(root.table).flatMap((step, index) =>
    'target' in step
      ? checkedLines(plan, step)
      : [`${all(tableName(index))} || fail 'a volume could not be mounted'`],
  );
  return [
    // Mounts of the host come and go meanwhile: one that is gone is no reason not to start.
    ...targetLines(plan, hostMounts, [], ':'),
    ...(hostMounts.length === 0 ? [] : [`${all('host-mounts')} 2>/dev/null || :`]),
    ...targetLines(plan, table, [plan.workingDir], "fail 'mount points could not be made'"),
    ...steps,
    `${quote(plan.tools.umount)} -l ${OLD_ROOT} && ${quote(plan.tools.rmdir)} ${OLD_ROOT} || fail 'the host root could not be left'`,
    ...(root.readOnly
      ? [`${mount} -o remount,bind,ro / || fail 'the root file system could not be made read-only'`]
      : []),
  ];
}

/**
 * The last script before the command: file systems, working directory, environment, exec. It runs as the container's
 * first process. Descriptor 3 takes one line, `ready` or `error <why>`; complaints of the tools go to the file
 * `complaint` until the command takes over.
 */
export function startScript(plan: StartPlan): string {
  const path = new Map(plan.environment).get('PATH') ?? '';
  const lines = [
    FAIL,
    RESOLVE,
    `exec 5>&2 2>${quote(`${plan.folder}/complaint`)} || exit 125`,
    ...(plan.root === undefined
      ? []
      : [...overlayLines(plan, plan.root.upper), ...mountLines(plan, plan.root)]),
    `cd ${quote(plan.workingDir)} || fail ${quote(`the working directory ${plan.workingDir} cannot be entered`)}`,
    `resolve ${quote(plan.command[0] ?? '')} ${quote(path)}`,
    'ulimit -c 0',
    // Who opens /dev/stdout by name must own what it leads to.
    ...(plan.chown === undefined
      ? []
      : [`${quote(plan.chown.tool)} ${quote(plan.chown.owner)} /proc/self/fd/1 /proc/self/fd/5`]),
    'echo ready >&3',
    'exec 2>&5 3>&- 5>&-',
    ...execLines(plan.command, plan.environment, plan.tools.env, plan.restrict),
  ];
  return `${lines.join('\n')}\n`;
}
